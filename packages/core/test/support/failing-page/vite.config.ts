export default {
  // A test names a temporary folder.
  cacheDir: process.env.CACHE_DIR,
  base: './',
  resolve: { conditions: ['@flashrpc/source', 'browser', 'module', 'import', 'default'] },
}
