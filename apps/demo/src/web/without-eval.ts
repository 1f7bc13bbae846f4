import { config } from 'zod'

// Before any schema is used: zod would try to compile them, which the page's security policy forbids.
config({ jitless: true })
