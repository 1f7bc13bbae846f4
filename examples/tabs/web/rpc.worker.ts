import { serveTabs } from '@flashrpc/core/tabs'

serveTabs()
