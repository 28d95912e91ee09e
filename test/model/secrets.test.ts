import { describe, expect, it } from 'vitest'
import { keepSecret, withoutSecrets } from '../../model/secrets.ts'

describe('a secret', () => {
  it('of eight characters is hidden wherever it stands, also as it is in a URL', () => {
    keepSecret('eight8/c')
    expect(withoutSecrets('it said weight8/c2 and eight8%2Fc')).toBe('it said w***2 and ***')
  })

  it.each([
    ['jdbc:mariadb://me:pw/7@db:3306/shop', 'jdbc:mariadb://me:***@db:3306/shop'],
    ['postgres://me:pw%2F7@db/shop', 'postgres://me:***@db/shop'],
    ['sasl.jaas.config=… password="pw/7";', 'sasl.jaas.config=… password="***";'],
    ['{"database.password":"pw/7"}', '{"database.password":"***"}'],
    [String.raw`{"a":"{\"passwd\": \"pw/7\"}"}`, String.raw`{"a":"{\"passwd\": \"***\"}"}`],
    ['PGPASSWORD=pw/7 psql', 'PGPASSWORD=*** psql'],
    ["the password 'pw/7' of me is wrong", "the password '***' of me is wrong"],
    ['Password is pw/7.', 'Password is ***.'],
    ['/webhdfs/v1/?delegation=pw/7&op=OPEN', '/webhdfs/v1/?delegation=***&op=OPEN'],
    ['http.token: pw/7', 'http.token: ***'],
    ['Authorization: Bearer pw/7', 'Authorization: Bearer ***'],
    ['\0me\0pw/7', '\0me\0***'],
  ])('of four characters is hidden where the text says that it is one: %j', (told, shown) => {
    keepSecret('pw/7')
    expect(withoutSecrets(told)).toBe(shown)
  })

  it('of few characters that is a word leaves that word in ordinary text', () => {
    keepSecret('demo')
    const text =
      'table demo.user of demo: no password for demo-reader, token of demo; password=demography; kafka:demo'
    expect(withoutSecrets(text)).toBe(text)
    expect(withoutSecrets('demo: password=demo, again: password=demo')).toBe(
      'demo: password=***, again: password=***',
    )
  })

  it('of few characters may be of any, and an empty one is none', () => {
    for (const secret of ['(', '$&', '\\', '.*', "'", 'ß', '\u{1f511}', '']) keepSecret(secret)
    expect(withoutSecrets(String.raw`password=( password=$& password=\ password=.* x (.*`)).toBe(
      'password=*** password=*** password=*** password=*** x (.*',
    )
    expect(withoutSecrets('password=\u{1f511} password=ß password= ')).toBe(
      'password=*** password=*** password= ',
    )
  })

  it('that is looked for in a long text of its own beginnings is found in time in proportion', () => {
    keepSecret('pw12')
    const text = `${'password '.repeat(50_000)}pw12${' '.repeat(200_000)}pw12`
    const shown = withoutSecrets(text)
    expect(shown).toBe(`${'password '.repeat(50_000)}***${' '.repeat(200_000)}pw12`)
  })
})
