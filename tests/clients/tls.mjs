// A client whose hosts are fixed, by Node's fetch: both vendors' flows at the vendors' own URLs.
//
//   ALIASED_PORT=8443 NODE_EXTRA_CA_CERTS=ca.pem \
//     node --import ./tests/clients/aliased/preload.mjs tests/clients/tls.mjs
//
// Nothing here knows of a mock, but for the clock that is moved on. Ends with exit code 0 if all is as
// it should be.

import assert from 'node:assert/strict'
import { randomUUID } from 'node:crypto'
import { readFile } from 'node:fs/promises'

const BIZMORI = 'https://api.bizmori.com'
const HOSTS = ['https://ai-image-detect.undetectable.ai', 'https://detect-image.truthscan.com']
const KEY = `fixed-${randomUUID()}`
const photo = await readFile(new URL('../../fixtures/photo.jpg', import.meta.url))

async function call(method, url, { body, headers = {} } = {}) {
  const isJson = body !== undefined && !Buffer.isBuffer(body)
  const answer = await fetch(url, {
    method,
    headers: isJson ? { 'content-type': 'application/json', ...headers } : headers,
    body: isJson ? JSON.stringify(body) : body,
  })
  const bytes = Buffer.from(await answer.arrayBuffer())
  assert(answer.ok, `${url}: ${answer.status} ${bytes}`)
  return bytes
}

const json = async (...asked) => JSON.parse(await call(...asked))
const leadsOn = (url, host) => assert(url.startsWith(`${host}/_s3/`), url)
// The one thing that a mock alone can do.
const passASecond = () =>
  json('POST', `${BIZMORI}/_mock/clock/advance`, { body: { account: KEY, by: 'PT1S' } })

async function bizmori() {
  const orders = `${BIZMORI}/api/v2/orders`
  const headers = { authorization: `Bearer ${KEY}` }
  const create = { idempotencyKey: 'create', fileName: 'photo_ai.jpg' }
  const { data: order } = await json('POST', `${orders}/ai-detection`, { headers, body: create })
  leadsOn(order.file.uploadUrl, BIZMORI)
  await call('PUT', order.file.uploadUrl, { body: photo })
  const confirm = { idempotencyKey: 'confirm', orderId: order.orderId }
  await call('POST', `${orders}/ai-detection/confirm`, { headers, body: confirm })
  await passASecond()
  const { data: detail } = await json('GET', `${orders}/${order.orderId}`, { headers })
  assert.deepEqual([detail.status, detail.probability], ['complete', 0.98])
  leadsOn(detail.originalImageUrl, BIZMORI)
  assert((await call('GET', detail.originalImageUrl)).equals(photo))
}

async function undetectable(host) {
  const place = await json('GET', `${host}/get-presigned-url?file_name=photo_ai.jpg`, {
    headers: { apikey: KEY },
  })
  leadsOn(place.presigned_url, host)
  const typed = { 'content-type': 'image/jpeg', 'x-amz-acl': 'private' }
  await call('PUT', place.presigned_url, { headers: typed, body: photo })
  const url = `https://ai-image-detector-prod.nyc3.digitaloceanspaces.com/${place.file_path}`
  const made = await json('POST', `${host}/detect`, { body: { key: KEY, url } })
  await passASecond()
  await passASecond()
  await json('POST', `${host}/query`, { body: { id: made.id } })
  const found = await json('POST', `${host}/query`, { body: { id: made.id } })
  assert.deepEqual([found.status, found.result], ['done', 98])
  const heatmap = found.result_details.heatmap_url
  leadsOn(heatmap, host)
  assert((await call('GET', heatmap)).length > 0)
}

await json('PUT', `${BIZMORI}/_mock/clock`, { body: { account: KEY, mode: 'frozen' } })
await bizmori()
console.log(`fetch: an order went its way at ${BIZMORI}`)
for (const host of HOSTS) {
  await undetectable(host)
  console.log(`fetch: a document went its way at ${host}`)
}
