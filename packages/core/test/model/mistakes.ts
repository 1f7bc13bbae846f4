/**
 * What a session can get wrong, one at a time. The first seven are those that the plan of sessions
 * names; the others came up while they were written down.
 */
export type Mistake =
  | 'no server fence'
  | 'no client fence'
  | 'trimming on send'
  | 'new frames before the replay'
  | 'token rotated without grace'
  | 'no attempt number'
  | 'bye without a fence'
  | 'client fences at the result'
  | 'hello of an ended connection'
  | 'cancelled call leaves the replay'
  | 'answers outlive their session'
  | 'unknown session taken for not-received'
