// Not of '@testing-library/react': that brings React, and a test of Fast Refresh must come before it.
import { configure } from '@testing-library/dom'

// The default, 1 s, is shorter than what a machine that is busy with other things may take.
configure({ asyncUtilTimeout: 10_000 })
