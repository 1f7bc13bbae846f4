/**
 * Imported ahead of a program that a test starts with an IPC channel (`stdio: [..., 'ipc']`), by
 * `--import …/ends-with-parent.mjs?<the test's process id>`: the program ends when the process that started it has ended,
 * also where that was killed and could not end it. Processes that the program itself forks inherit the flag; for them it
 * does nothing.
 */
if (process.channel && new URL(import.meta.url).search === `?${process.ppid}`) {
  process.once('disconnect', () => process.exit(1))
  // The listener must not keep a program alive that has nothing more to do.
  process.channel.unref()
}
