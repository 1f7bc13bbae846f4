import parser from '@typescript-eslint/parser'
import reactHooks from 'eslint-plugin-react-hooks'

/** Only the rules of React and of its compiler: Biome does all else. */
export default [
  {
    files: ['packages/react/src/**/*.{ts,tsx}', 'apps/*/src/web/**/*.{ts,tsx}'],
    languageOptions: { parser, parserOptions: { ecmaFeatures: { jsx: true } } },
    linterOptions: { reportUnusedDisableDirectives: 'error' },
    plugins: { 'react-hooks': reactHooks },
    rules: reactHooks.configs['recommended-latest'].rules,
  },
]
