/** What an operator does to a cluster with other tools than Forager. */
import { Admin } from '@platformatic/kafka'

async function withAdmin(
  broker: string,
  action: (admin: Admin) => Promise<unknown>,
): Promise<void> {
  const admin = new Admin({ clientId: 'operator', bootstrapBrokers: [broker] })
  try {
    await action(admin)
  } finally {
    await admin.close()
  }
}

export async function addPartitions(broker: string, topic: string, count: number): Promise<void> {
  await withAdmin(broker, admin => admin.createPartitions({ topics: [{ name: topic, count }] }))
}

export async function deleteTopic(broker: string, topic: string): Promise<void> {
  await withAdmin(broker, admin => admin.deleteTopics({ topics: [topic] }))
}
