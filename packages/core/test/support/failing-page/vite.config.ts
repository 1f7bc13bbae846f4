export default {
  base: './',
  resolve: { conditions: ['@flashrpc/source', 'browser', 'module', 'import', 'default'] },
}
