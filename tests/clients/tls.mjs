// A client whose hosts are fixed: both vendors' flows at the vendors' own URLs, with Node's fetch.
//
//   ALIASED_PORT=8443 NODE_EXTRA_CA_CERTS=ca.pem \
//     node --import ./tests/clients/aliased/preload.mjs tests/clients/tls.mjs
//
// Only the calls of the clock are specific to the mock. Exit code 0 if all responses are as expected.

import assert from 'node:assert/strict'
import { randomUUID } from 'node:crypto'
import { readFile } from 'node:fs/promises'

const BIZMORI = 'https://api.bizmori.com'
const HOSTS = ['https://ai-image-detect.undetectable.ai', 'https://detect-image.truthscan.com']
const KEY = `fixed-${randomUUID()}`
const photo = await readFile(new URL('../../fixtures/photo.jpg', import.meta.url))

async function call(method, url, { body, headers = {} } = {}) {
  const isJson = body !== undefined && !Buffer.isBuffer(body)
  const response = await fetch(url, {
    method,
    headers: isJson ? { 'content-type': 'application/json', ...headers } : headers,
    body: isJson ? JSON.stringify(body) : body,
  })
  const bytes = Buffer.from(await response.arrayBuffer())
  assert(response.ok, `${url}: ${response.status} ${bytes}`)
  return bytes
}

const json = async (...args) => JSON.parse(await call(...args))
const assertStorageUrl = (url, host) => assert(url.startsWith(`${host}/_s3/`), url)
// Advances the key's clock by a second.
const advance = () =>
  json('POST', `${BIZMORI}/_mock/clock/advance`, { body: { account: KEY, by: 'PT1S' } })

async function bizmori() {
  const orders = `${BIZMORI}/api/v2/orders`
  const headers = { authorization: `Bearer ${KEY}` }
  const create = { idempotencyKey: 'create', fileName: 'photo_ai.jpg' }
  const { data: order } = await json('POST', `${orders}/ai-detection`, { headers, body: create })
  assertStorageUrl(order.file.uploadUrl, BIZMORI)
  await call('PUT', order.file.uploadUrl, { body: photo })
  const confirm = { idempotencyKey: 'confirm', orderId: order.orderId }
  await call('POST', `${orders}/ai-detection/confirm`, { headers, body: confirm })
  await advance()
  const { data: detail } = await json('GET', `${orders}/${order.orderId}`, { headers })
  assert.deepEqual([detail.status, detail.probability], ['complete', 0.98])
  assertStorageUrl(detail.originalImageUrl, BIZMORI)
  assert((await call('GET', detail.originalImageUrl)).equals(photo))
}

async function undetectable(host) {
  const slot = await json('GET', `${host}/get-presigned-url?file_name=photo_ai.jpg`, {
    headers: { apikey: KEY },
  })
  assertStorageUrl(slot.presigned_url, host)
  const putHeaders = { 'content-type': 'image/jpeg', 'x-amz-acl': 'private' }
  await call('PUT', slot.presigned_url, { headers: putHeaders, body: photo })
  const url = `https://ai-image-detector-prod.nyc3.digitaloceanspaces.com/${slot.file_path}`
  const created = await json('POST', `${host}/detect`, { body: { key: KEY, url } })
  await advance()
  await advance()
  await json('POST', `${host}/query`, { body: { id: created.id } })
  const document = await json('POST', `${host}/query`, { body: { id: created.id } })
  assert.deepEqual([document.status, document.result], ['done', 98])
  const heatmap = document.result_details.heatmap_url
  assertStorageUrl(heatmap, host)
  assert((await call('GET', heatmap)).length > 0)
}

await json('PUT', `${BIZMORI}/_mock/clock`, { body: { account: KEY, mode: 'frozen' } })
await bizmori()
console.log(`fetch: an order completed at ${BIZMORI}`)
for (const host of HOSTS) {
  await undetectable(host)
  console.log(`fetch: a document was done at ${host}`)
}
