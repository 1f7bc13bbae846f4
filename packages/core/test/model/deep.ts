/** Whether larger scopes are searched, too: `FLASHRPC_MODEL=deep`. */
export const isDeep = process.env.FLASHRPC_MODEL === 'deep'

/** The number of states at which each search of a larger scope ends: `FLASHRPC_MODEL_STATES`. Default: no end. */
export const maxStates = Number(process.env.FLASHRPC_MODEL_STATES ?? Number.POSITIVE_INFINITY)
