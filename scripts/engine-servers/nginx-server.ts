import { writeFile } from 'node:fs/promises'
import { connect } from 'node:net'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { freePort } from '../free-port.js'
import { EngineServer, findServer } from './engine-server.js'

/** nginx, as a balancer. */
export const nginxProgram = findServer('nginx', 'FLASHRPC_REQUIRE_NGINX')

/**
 * Starts nginx in front of servers of 127.0.0.1. Each connection goes to the next of them in turn, whoever its client is.
 *
 * @throws {Error} if there is none: {@link nginxProgram} says so.
 */
export function startNginx(ports: readonly number[]): Promise<EngineServer> {
  return startNginxWith((listen) => balancerOf(ports, listen))
}

/**
 * Starts nginx with a configuration.
 *
 * @param http returns the content of its block `http`, given the address where it is to listen.
 * @throws {Error} if there is none: {@link nginxProgram} says so.
 */
export function startNginxWith(http: (listen: string) => string): Promise<EngineServer> {
  if (!nginxProgram.path) throw new Error(nginxProgram.missing)
  let listens = 0
  return EngineServer.start(nginxProgram.path, {
    async args(folder, port) {
      const file = join(folder, 'nginx.conf')
      listens = port ?? (await freePort())
      await writeFile(file, configOf(http(`127.0.0.1:${listens}`)))
      return ['-p', folder, '-c', file, '-e', 'stderr']
    },
    async listening() {
      for (;;) {
        if (await accepts(listens)) return listens
        await sleep(10)
      }
    },
  })
}

function configOf(http: string): string {
  const temporary = ['client_body', 'proxy', 'fastcgi', 'uwsgi', 'scgi']
  return `
daemon off;
master_process off;
pid nginx.pid;
events { worker_connections 512; }
http {
  access_log off;
  ${temporary.map((name) => `${name}_temp_path ${name};`).join('\n  ')}
  ${http}
}
`
}

function balancerOf(ports: readonly number[], listen: string): string {
  return `
  upstream nodes {
    ${ports.map((port) => `server 127.0.0.1:${port} max_fails=0;`).join('\n    ')}
  }
  server {
    listen ${listen};
    location / {
      proxy_pass http://nodes;
      proxy_http_version 1.1;
      proxy_set_header Upgrade $http_upgrade;
      proxy_set_header Connection "upgrade";
      proxy_set_header Host $http_host;
      proxy_read_timeout 1h;
    }
  }
`
}

function accepts(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect({ host: '127.0.0.1', port })
    socket.once('connect', () => {
      socket.destroy()
      resolve(true)
    })
    socket.once('error', () => resolve(false))
  })
}
