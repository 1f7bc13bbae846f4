import { writeFileSync } from 'node:fs'
import { createRequire } from 'node:module'
import { join } from 'node:path'
import { svelte } from '@sveltejs/vite-plugin-svelte'
import vue from '@vitejs/plugin-vue'
import solid from 'vite-plugin-solid'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { GuideSite } from './guide-site.ts'

/** The recipes of docs/guide/front-ends.md: each calls the quick start's server in Chromium, and is called. */

const DEPENDENCIES = ['vue', 'solid-js', 'solid-js/web']

let site: GuideSite

beforeAll(async () => {
  // Its build for Node requires packages, which get another file under this project's export conditions.
  const { resolve } = createRequire(createRequire(import.meta.url).resolve('vue/package.json'))
  const compiler = await import(resolve('@vue/compiler-sfc/dist/compiler-sfc.esm-browser.js'))
  site = await GuideSite.open([vue({ compiler }), svelte(), solid()], DEPENDENCIES)
})

afterAll(() => site?.[Symbol.asyncDispose]())

test.concurrent.each([
  [
    'Vue',
    ['rpc-vue.ts', 'App.vue'],
    "import { createApp } from 'vue'\nimport App from './App.vue'\ncreateApp(App).mount('#root')",
  ],
  [
    'Svelte',
    ['rpc-svelte.ts', 'App.svelte'],
    "import { mount } from 'svelte'\nimport App from './App.svelte'\nmount(App, { target: document.querySelector('#root') })",
  ],
  [
    'Solid',
    ['rpc-solid.ts', 'app-solid.tsx'],
    "import { render } from 'solid-js/web'\nimport { App } from './app-solid.tsx'\nrender(() => App(), document.querySelector('#root'))",
  ],
])(
  '%s: a page calls its server, and the server calls it',
  async (_, [rpc = '', app = ''], main) => {
    const guide = site.guide('front-ends', ['contract.ts', app])
    const { program, port } = await guide.serve('server.ts', {
      'http://localhost:5173': site.origin,
    })
    guide.write(rpc, { ':8000': `:${port}` })
    writeFileSync(join(guide.folder, 'main.js'), main)
    await using page = await site.browser.newPage()
    const asked: string[] = []
    page.on('dialog', (dialog) => {
      asked.push(dialog.message())
      void dialog.accept()
    })
    await site.show(guide, 'main.js', '<div id="root"></div>', page)
    await page.getByText('connected. Welcome!').waitFor()
    await program.prints(/^yes$/m)
    await page.getByRole('button', { name: '5 + 10 =' }).click()
    await page.getByRole('button', { name: '5 + 10 = 15' }).waitFor()
    expect(asked).toEqual(['Deploy?'])
  },
)
