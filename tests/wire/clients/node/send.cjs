// Sends one event of each type with npm @segment/analytics-node, unmodified. Input: {writeKey, host, flushAt} on the
// standard input; output: the errors and the message ids that the client reports, as JSON.
const { readFileSync } = require('node:fs')
const { Analytics } = require('@segment/analytics-node')

const analytics = new Analytics(JSON.parse(readFileSync(0, 'utf8')))
const errors = []
const delivered = []
const timestamp = new Date('2026-11-23T10:00:00.000Z')

analytics.on('error', (error) => errors.push({ code: error.code, status: error.reason?.status ?? null }))

const report = (error, context) => {
  if (!error) delivered.push(context.event.messageId)
}

analytics.identify({ userId: 'u-1', traits: { email: 'jane@example.com' }, timestamp, messageId: 'm-identify' }, report)
analytics.track(
  { userId: 'u-1', event: 'Order Completed', properties: { order_id: 'o-1', revenue: 12.5 }, timestamp, messageId: 'm-track' },
  report
)
analytics.page({ userId: 'u-1', name: 'Home', properties: { url: 'https://shop.example.com/' }, messageId: 'm-page' }, report)
analytics.screen({ userId: 'u-1', name: 'Home', messageId: 'm-screen' }, report)
analytics.group({ userId: 'u-1', groupId: 'g-1', traits: { name: 'ACME' }, messageId: 'm-group' }, report)
analytics.alias({ userId: 'u-1', previousId: 'a-1', messageId: 'm-alias' }, report)
analytics.track({ anonymousId: 'a-2', event: 'Product Viewed', properties: { note: 'a\ud800b' } }, report)

analytics.closeAndFlush({ timeout: 50000 }).then(() => {
  console.log(JSON.stringify({ errors, delivered }))
})
