import { createDesk } from './desk.js'

const { url } = await createDesk().listen({ port: Number(process.env.PORT ?? 8000), path: '/ws' })
console.log(`listening on ${url}`)
