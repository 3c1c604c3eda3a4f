// Stands for a network alias in a Node process that is started with `--import` of this file: the vendors' hosts
// resolve to this machine, and their port 443 is ALIASED_PORT, which any user may listen on. The program itself
// calls `https://api.bizmori.com`, also in SNI and `Host`.

import net from 'node:net'

const VENDORS = /(^|\.)(bizmori\.com|undetectable\.ai|truthscan\.com|digitaloceanspaces\.com)$/
const port = Number(process.env.ALIASED_PORT)
const connect = net.Socket.prototype.connect

net.Socket.prototype.connect = function (...args) {
  // Node's own callers pass normalised arguments: one array of options and callback.
  const options = Array.isArray(args[0]) ? args[0][0] : args[0]
  if (VENDORS.test(options?.host ?? '') && Number(options.port) === 443) {
    const lookup = (host, lookupOptions, done) =>
      lookupOptions.all ? done(null, [{ address: '127.0.0.1', family: 4 }]) : done(null, '127.0.0.1', 4)
    Object.assign(options, { port, lookup })
  }
  return connect.apply(this, args)
}
