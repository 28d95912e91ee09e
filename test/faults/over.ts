/** An object of an injected interface with some of its parts replaced: how most faults are planted. */

/** What is not in `own` is the inner object's, private fields and all. */
export function over<T extends object>(inner: T, own: Partial<T>): T {
  return new Proxy(inner, {
    get: (target, name) => {
      if (Object.hasOwn(own, name)) return own[name as keyof T]
      const found: unknown = Reflect.get(target, name, target)
      return typeof found === 'function' ? (found.bind(target) as unknown) : found
    },
  })
}
