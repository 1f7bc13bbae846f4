import TwoslashFloatingVue from '@shikijs/vitepress-twoslash/client'
import '@shikijs/vitepress-twoslash/style.css'
import type { Theme } from 'vitepress'
import DefaultTheme from 'vitepress/theme'
import { defineAsyncComponent } from 'vue'
import './style.css'

export default {
  extends: DefaultTheme,
  enhanceApp({ app, router }) {
    app.use(TwoslashFloatingVue)
    // Loaded by its page alone.
    app.component(
      'CodePlayground',
      defineAsyncComponent(() => import('../../playground/playground.ts')),
    )
    if (import.meta.env.SSR) return
    // As the built page has it: see transformHtml of the configuration.
    router.onAfterPageLoad = () => {
      requestAnimationFrame(() => document.querySelector('.VPHome')?.setAttribute('role', 'main'))
    }
  },
} satisfies Theme
