// Whom to reach, as the inventory has it: `/v1/inventory`.

import { get } from "./ask";

export interface Contact {
  name: string;
  email?: string | null;
  phone?: string | null;
  webhook?: string | null;
  language?: "en" | "ja" | null;
}

export interface Customer {
  id: string;
  name?: string | null;
  contacts?: Contact[];
}

/** A customer as listed; undefined where customers are not. */
export async function customer(id: string, signal: AbortSignal): Promise<Customer | undefined> {
  const answer = await get<{ inventory: { customers?: Customer[] } }>("/v1/inventory", signal);
  return answer.inventory.customers?.find((customer) => customer.id === id);
}
