// A certified OpenID Connect provider (oidc-provider by Filip Skokan) on the loopback, set up as an institution does.
// Usage: node provider.mjs REDIRECT_URI... ; prints its issuer once it listens. Whatever name is typed is signed in.
import { createServer } from 'node:http'
import Provider from 'oidc-provider'

const [secret, ...redirects] = process.argv.slice(2)
const server = createServer()
server.listen(0, '127.0.0.1', () => {
  const issuer = `http://127.0.0.1:${server.address().port}`
  const provider = new Provider(issuer, {
    clients: [{
      client_id: 'reading-room',
      client_secret: secret,
      redirect_uris: redirects,
      application_type: 'web',
      token_endpoint_auth_method: 'client_secret_basic',
    }],
    claims: { openid: ['sub'], email: ['email', 'email_verified'], profile: ['name', 'eduperson_scoped_affiliation'] },
    findAccount: (_context, id) => ({
      accountId: id,
      claims: () => ({
        sub: id,
        email: `${id}@uni.example`,
        email_verified: !id.startsWith('unverified'),
        name: `${id} of the university`,
        eduperson_scoped_affiliation: id.startsWith('guest') ? undefined : ['member@uni.example'],
      }),
    }),
    pkce: { required: () => true },
    cookies: { keys: ['only-a-test'] },
  })
  server.on('request', provider.callback())
  console.log(issuer)
})
process.stdin.resume()
process.stdin.on('end', () => process.exit(0))
