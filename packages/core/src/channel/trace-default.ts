/** Whether the errors of calls show who has made them, where no option says so: what runs for users does not pay for it. */
export const TRACES_CALLS: boolean = false
