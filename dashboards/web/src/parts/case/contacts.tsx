// Whom to reach of a case's customer, and who was tried.

import type { WholeCase } from "../../api/cases";
import type { Customer } from "../../api/inventory";
import { t } from "../../words/cases";
import { Badge } from "../figures";
import { Panel } from "../panel";

interface Props {
  of: WholeCase;
  /** undefined: not asked for. */
  customer: Customer | undefined;
  show: (() => void) | undefined;
}

export function CaseContacts({ of, customer, show }: Props) {
  const contacts = customer?.contacts ?? [];
  const tried = new Set(of.steps.flatMap((step) => (step.kind === "attempted" ? [step.contact] : [])));
  return (
    <Panel title={t.contacts} aside={customer?.name ? `${customer.name} (${of.customer})` : t.contactsOf(of.customer)}>
      {show ? (
        <button type="button" onClick={show}>
          {t.showContacts}
        </button>
      ) : contacts.length === 0 ? (
        <p class="muted">{t.noContacts}</p>
      ) : (
        <ul class="contacts">
          {contacts.map((contact, index) => (
            <li key={contact.name}>
              <strong>{contact.name}</strong> {tried.has(index + 1) && <Badge tone="plain">{t.tried}</Badge>}
              <span class="ways">
                {contact.phone && <a href={`tel:${contact.phone.replace(/[^+\d]/g, "")}`}>{contact.phone}</a>}
                {contact.email && <a href={`mailto:${contact.email}`}>{contact.email}</a>}
                {contact.webhook && (
                  <span>
                    {t.channels.webhook} {contact.webhook}
                  </span>
                )}
                {contact.language && <span class="muted">{t.reads[contact.language]}</span>}
              </span>
            </li>
          ))}
        </ul>
      )}
    </Panel>
  );
}
