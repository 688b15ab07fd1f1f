"""What must hold of the books: each rule is a query for the things that break it, or wait for their turn.

A query gives `company`, `subject`, `message` and `pending`, and sees the tables of `books`, besides them
`within(day)` (whether a day lies in the scope; a row without a day does), `to_send` and `to_return` (rows
that the engine has yet to move, with the reason why: see `underway`).
"""

from dataclasses import dataclass

from projops.reconcile.model import Scope


@dataclass(frozen=True, slots=True)
class Rule:
    """One invariant.

    Attributes:
        name: Its id.
        claim: What it says, as a sentence that is true where it holds.
        query: Gives what breaks it, and what waits.
    """

    name: str
    claim: str
    query: str


# R501: what does not skip the sync is in staging. Which rows are merely not sent yet, the engine knows.
_ACTUALS_STAGED = """
SELECT a.company, 'actual ' || a.id AS subject,
       coalesce(u.reason, 'Finance does not have this actual any more, though it was sent there: '
         || 'reconcile the map actuals with --repair.') AS message,
       u.reason IS NOT NULL AS pending
FROM missing a LEFT JOIN to_send u ON u.id = a.id
"""

# R601, R607, R612. Billed sales go to proposals; Finance reckons taxes itself. Costs may be booked already
# (R505, by their origin) or be another company's (R1203): those need no line.
_ACTUALS_JOURNALISED = """
SELECT s.company, 'actual ' || s.actual AS subject,
       CASE WHEN t.journal IS NOT NULL AND t.processed = 'Yes'
              THEN 'Finance has put it into integration journal ' || t.journal || ', which has no line of '
                || 'it: see what became of that line in Finance.'
            WHEN t.processed = 'Yes'
              THEN 'Finance takes it for processed, but no integration journal has a line of it: '
                || 'see what became of it in the project integration workspace of Finance.'
            WHEN m.reason IS NOT NULL THEN 'Waits in staging: ' || m.reason
            WHEN t.invalid = 'Yes' THEN 'Waits in staging: Finance found it to differ from Dataverse (R612).'
            ELSE 'Waits in staging for the next *Import from staging* in Finance (R601).'
       END AS message,
       t.processed IS DISTINCT FROM 'Yes' AS pending
FROM staged s
LEFT JOIN state t ON t.company = s.company AND t.actual = s.actual
LEFT JOIN reason m ON m.company = s.company AND m.actual = s.actual
WHERE within(coalesce(s.accounting_day, s.document_day))
  AND s.type NOT IN ('BilledSales', 'Tax')
  AND t.duplicate IS DISTINCT FROM 'Yes'
  AND NOT EXISTS (FROM line l WHERE l.company = s.company AND l.actual = s.actual)
  AND NOT (t.processed = 'Yes' AND t.journal IS NULL AND (
        s.journalised = 'Yes'
        OR s.type = 'Cost' AND (
             s.origin IS NOT NULL
             OR lower(coalesce(s.resourcing_company, s.company))
                <> lower(coalesce(s.project_company, s.company)))))
"""

# R702: an error is not tried again before somebody sets the journal to draft.
_LINES_POSTED = """
SELECT l.company, 'journal ' || l.journal || ' line ' || l.number AS subject,
       CASE WHEN l.status IN ('Draft', 'Processing')
              THEN 'Voucher ' || coalesce(l.voucher, '(none)') || ' is not posted: post integration journal '
                || l.journal || ' in Finance.'
            ELSE 'Voucher ' || coalesce(l.voucher, '(none)') || ' has the status ' || l.status || ': '
                || coalesce(l.reason, 'no reason is given.')
                || ' Correct the cause, set the journal to draft and post it (R702).'
       END AS message,
       true AS pending
FROM line l
WHERE l.status <> 'Posted' AND within(l.day)
"""

# R605, R704, R806. Sales lines book nothing unless revenue is accrued (R703): costs alone must have entries.
# That staging misses an actual which Dataverse has is said by actuals_staged.
_VOUCHERS_BOOKED = """
SELECT l.company, 'journal ' || l.journal || ' line ' || l.number AS subject,
       CASE WHEN l.voucher IS NULL THEN 'The line is posted without a voucher: see the journal in Finance.'
            ELSE 'The ledger has no entries of the voucher ' || l.voucher || ' of the posted line.'
       END AS message,
       false AS pending
FROM line l
WHERE l.status = 'Posted' AND within(l.day)
  AND (l.voucher IS NULL
       OR l.type IN ('Cost', 'ResourcingUnitCost') AND l.accounting_amount <> 0
          AND NOT EXISTS (FROM entry e WHERE e.company = l.company AND e.voucher = l.voucher))
UNION ALL
SELECT p.company, 'actual ' || p.actual,
       'Staging does not have '
         || CASE WHEN s.actual IS NULL THEN 'this actual, which was posted with the voucher ' || p.voucher
                 ELSE 'the voucher ' || p.voucher || ' with which it was posted' END
         || ', so Dataverse cannot hear of it: see the actual in Finance.',
       false
FROM posted p LEFT JOIN staged s ON s.company = p.company AND s.actual = p.actual
WHERE within(p.day) AND s.voucher IS DISTINCT FROM p.voucher
  AND NOT EXISTS (FROM missing m WHERE m.company = p.company AND m.actual = p.actual)
"""

# R704, R806. Extra lines of fees and discounts stand for no actual (R613).
_VOUCHERS_RETURNED = """
SELECT e.company, 'actual ' || e.actual AS subject,
       CASE WHEN r.reason IS NOT NULL THEN 'Its voucher ' || e.voucher || ' is on its way: ' || r.reason
            WHEN e.id IS NULL THEN 'Dataverse does not have the actual of voucher ' || e.voucher || '.'
            ELSE 'Dataverse does not have its voucher ' || e.voucher
              || ', though it was sent there: reconcile the map actuals with --repair.'
       END AS message,
       r.reason IS NOT NULL AS pending
FROM unreturned e LEFT JOIN to_return r ON r.company = e.company AND r.actual = e.actual
"""

_BALANCED = """
SELECT company, 'voucher ' || voucher AS subject,
       'Its debits and credits differ by ' || plain(sum(accounting_amount))
         || ' in the accounting currency: see the voucher in Finance.' AS message,
       false AS pending
FROM entry WHERE within(day) GROUP BY company, voucher HAVING sum(accounting_amount) <> 0
"""

# R802, R806. What hangs on a proposal that has not come, or is not posted yet, is said of the proposal, once.
_BILLED_INVOICED = """
WITH billed AS (
  SELECT s.company, s.actual, s.proposal, p.status,
         EXISTS (FROM proposal_line b WHERE b.company = s.company AND b.actual = s.actual
                 AND lower(b.proposal) = lower(s.proposal)) AS has_line,
         EXISTS (FROM invoice i WHERE i.company = s.company AND lower(i.proposal) = lower(s.proposal))
           AS has_invoice
  FROM staged s
  LEFT JOIN state t ON t.company = s.company AND t.actual = s.actual
  LEFT JOIN proposal p ON p.company = s.company AND lower(p.number) = lower(s.proposal)
  WHERE s.type = 'BilledSales' AND within(coalesce(s.accounting_day, s.document_day))
    AND t.duplicate IS DISTINCT FROM 'Yes'
)
SELECT company, 'actual ' || actual AS subject,
       CASE WHEN proposal IS NULL THEN 'These billed sales name no invoice: see the actual in Dataverse.'
            WHEN NOT has_line
              THEN 'Invoice proposal ' || proposal || ' is posted without a line of these billed sales.'
            ELSE 'Finance has no customer invoice of the posted invoice proposal ' || proposal || '.'
       END AS message,
       false AS pending
FROM billed WHERE proposal IS NULL OR status = 'Posted' AND NOT (has_line AND has_invoice)
UNION ALL
SELECT company, 'invoice proposal ' || proposal,
       'Has not come to Finance yet, and ' || count(*) || ' billed sales wait for it: let the map '
         || 'invoice_proposals run, and see its dead letters.',
       true
FROM billed WHERE proposal IS NOT NULL AND status IS NULL GROUP BY company, proposal
"""

_PROPOSALS_POSTED = """
SELECT p.company, 'invoice proposal ' || p.number AS subject,
       coalesce('Is not posted: ' || m.reason,
         CASE WHEN p.status = 'Ready' THEN 'Has its lines and is not posted: post it in Finance (R805).'
              ELSE 'Waits for its lines: import from staging in Finance, then post it (R802).'
         END) AS message,
       true AS pending
FROM proposal p
LEFT JOIN (SELECT company, lower(document) AS document, any_value(reason) AS reason FROM message
           WHERE resolved <> 'Yes' AND document IS NOT NULL GROUP BY ALL) m
       ON m.company = p.company AND m.document = lower(p.number)
WHERE p.status <> 'Posted' AND within(p.day)
"""

# Messages about actuals, lines and proposals are said of those.
_MESSAGES_RESOLVED = """
SELECT m.company, coalesce(m.document, 'message ' || m.error) AS subject,
       coalesce(m.job || ': ', '') || m.reason AS message, true AS pending
FROM message m
WHERE m.resolved <> 'Yes' AND m.actual IS NULL
  AND NOT EXISTS (FROM proposal p WHERE p.company = m.company AND lower(p.number) = lower(m.document))
"""

RULES = (
    Rule("debits_equal_credits", "The debits of each voucher are its credits.", _BALANCED),
    Rule(
        "actuals_staged",
        "Each actual that does not skip the sync is in Finance's staging (R501).",
        _ACTUALS_STAGED,
    ),
    Rule(
        "actuals_journalised",
        "Each staged actual has its line in an integration journal (R601).",
        _ACTUALS_JOURNALISED,
    ),
    Rule("lines_posted", "Each line of an integration journal is posted (R701).", _LINES_POSTED),
    Rule(
        "vouchers_booked", "Each posted line has its voucher in ledger and staging (R704).", _VOUCHERS_BOOKED
    ),
    Rule(
        "vouchers_returned",
        "Each posted line, and each invoiced one, has its voucher on the actual in Dataverse (R704, R806).",
        _VOUCHERS_RETURNED,
    ),
    Rule("billed_invoiced", "Billed sales are on a line of a posted invoice (R802, R806).", _BILLED_INVOICED),
    Rule("proposals_posted", "Each invoice proposal is posted (R805).", _PROPOSALS_POSTED),
    Rule("messages_resolved", "Finance's jobs have no open messages.", _MESSAGES_RESOLVED),
)

# What the engine may have yet to move (a voucher that staging does not have is none of them), why actuals
# wait in Finance, and what posting has put on the clearing accounts that no journal has taken off yet.
VIEWS = """
CREATE VIEW missing AS
  SELECT a.company, a.id, a.actual FROM actual a
  WHERE a.skips_sync = false AND within(a.day) AND a.company IS NOT NULL
    AND NOT EXISTS (FROM staged s WHERE s.company = a.company AND s.actual = a.actual);
CREATE VIEW posted AS
  SELECT company, actual, voucher, day FROM line
  WHERE status = 'Posted' AND actual IS NOT NULL AND voucher IS NOT NULL
  UNION
  SELECT b.company, b.actual, i.voucher, p.day FROM proposal_line b
  JOIN proposal p ON p.company = b.company AND lower(p.number) = lower(b.proposal) AND p.status = 'Posted'
  JOIN invoice i ON i.company = b.company AND lower(i.proposal) = lower(b.proposal)
  WHERE b.actual IS NOT NULL AND i.voucher IS NOT NULL;
CREATE VIEW unreturned AS
  SELECT p.company, p.actual, p.voucher, a.id FROM posted p
  JOIN staged s ON s.company = p.company AND s.actual = p.actual AND s.voucher = p.voucher
  LEFT JOIN actual a ON a.company = p.company AND a.actual = p.actual
  WHERE within(p.day) AND a.voucher IS DISTINCT FROM p.voucher;
CREATE VIEW reason AS
  SELECT company, actual, any_value(reason) AS reason FROM message
  WHERE resolved <> 'Yes' AND actual IS NOT NULL GROUP BY company, actual;
CREATE VIEW document AS
  SELECT coalesce(lower(paid_by), company) AS company, 'ExpenseIntegration' AS posting_type,
         number, currency, amount, day FROM expense WHERE booked = 0
  UNION ALL
  SELECT company, 'ProcurementIntegration', number, currency, amount, day FROM purchase WHERE booked = 0;
CREATE VIEW open_item AS
  SELECT d.company, d.posting_type, d.number, d.currency, d.amount - coalesce(sum(l.amount), 0) AS amount
  FROM document d
  LEFT JOIN line l ON l.company = d.company AND l.offset_type = d.posting_type
       AND lower(l.origin) = lower(d.number) AND l.status = 'Posted' AND by_its_end(l.day)
  WHERE by_its_end(d.day)
  GROUP BY d.company, d.posting_type, d.number, d.currency, d.amount
  HAVING d.amount <> coalesce(sum(l.amount), 0);
CREATE TABLE to_send (id VARCHAR, reason VARCHAR);
CREATE TABLE to_return (company VARCHAR, actual VARCHAR, reason VARCHAR);
CREATE MACRO plain(amount) AS rtrim(rtrim(CAST(amount AS VARCHAR), '0'), '.');
"""


def scoping(scope: Scope) -> str:
    """Write the statements that say which days lie in a scope: the macros `within` and `by_its_end`."""
    until = "true" if scope.until is None else f"coalesce(day <= DATE '{scope.until}', true)"
    since = "true" if scope.since is None else f"coalesce(day >= DATE '{scope.since}', true)"
    return f"CREATE MACRO by_its_end(day) AS {until}; CREATE MACRO within(day) AS {until} AND {since};"
