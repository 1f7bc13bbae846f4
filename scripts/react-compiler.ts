import { transformAsync } from '@babel/core'

/** Has React's compiler compile the files `*.compiled.tsx`, as applications have it compile theirs. */
export function reactCompiler() {
  return {
    name: 'react-compiler',
    enforce: 'pre' as const,
    async transform(code: string, id: string) {
      const [filename] = id.split('?') as [string]
      if (!filename.endsWith('.compiled.tsx')) return undefined
      const compiled = await transformAsync(code, {
        filename,
        babelrc: false,
        configFile: false,
        sourceMaps: true,
        parserOpts: { plugins: ['typescript', 'jsx'] },
        plugins: [['babel-plugin-react-compiler', { panicThreshold: 'all_errors' }]],
      })
      return compiled?.code ? { code: compiled.code, map: compiled.map ?? null } : undefined
    },
  }
}
