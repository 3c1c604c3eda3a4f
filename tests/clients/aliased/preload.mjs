// What a network alias does to a container's name resolution, done to a Node process that is started
// with `--import` of this file: the vendors' hosts are this machine, and their port 443 is
// ALIASED_PORT, which needs no rights to be listened on. The program knows nothing of it: it asks for
// `https://api.bizmori.com`, and says so in SNI and `Host`.

import net from 'node:net'

const VENDORS = /(^|\.)(bizmori\.com|undetectable\.ai|truthscan\.com|digitaloceanspaces\.com)$/
const port = Number(process.env.ALIASED_PORT)
const connect = net.Socket.prototype.connect

net.Socket.prototype.connect = function (...given) {
  // Node's own callers give normalised arguments, one array of options and callback.
  const options = Array.isArray(given[0]) ? given[0][0] : given[0]
  if (VENDORS.test(options?.host ?? '') && Number(options.port) === 443) {
    const lookup = (host, asked, done) =>
      asked.all ? done(null, [{ address: '127.0.0.1', family: 4 }]) : done(null, '127.0.0.1', 4)
    Object.assign(options, { port, lookup })
  }
  return connect.apply(this, given)
}
