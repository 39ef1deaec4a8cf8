//! What a schema is made of, as the server tells it, in lines that can be compared.

use postgres::Client;

const COLUMNS: &str = "
  SELECT format('column %s.%s %s%s%s%s', c.relname, a.attname, format_type(a.atttypid, a.atttypmod),
                CASE WHEN a.attnotnull THEN ' not null' ELSE '' END,
                CASE WHEN d.adbin IS NOT NULL THEN ' default ' || pg_get_expr(d.adbin, d.adrelid)
                     ELSE '' END,
                CASE a.attidentity WHEN 'a' THEN ' always identity' WHEN 'd' THEN ' identity'
                     ELSE '' END)
    FROM pg_attribute a
    JOIN pg_class c ON c.oid = a.attrelid
    LEFT JOIN pg_attrdef d ON d.adrelid = c.oid AND d.adnum = a.attnum
   WHERE c.relnamespace = 'smp_server'::regnamespace AND c.relkind = 'r'
     AND a.attnum > 0 AND NOT a.attisdropped
   ORDER BY c.relname COLLATE \"C\", a.attnum";
const CONSTRAINTS: &str = "
  SELECT format('constraint %s.%s %s', conrelid::regclass, conname, pg_get_constraintdef(oid))
    FROM pg_constraint WHERE connamespace = 'smp_server'::regnamespace ORDER BY 1";
const INDEXES: &str = "
  SELECT format('index %s', indexdef) FROM pg_indexes WHERE schemaname = 'smp_server' ORDER BY 1";
const ROUTINES: &str = "
  SELECT CASE p.prokind WHEN 'a' THEN format('aggregate %s(%s) %s %s', p.proname,
                pg_get_function_arguments(p.oid), a.aggtransfn, a.agginitval)
              ELSE pg_get_functiondef(p.oid) END
    FROM pg_proc p LEFT JOIN pg_aggregate a ON a.aggfnoid = p.oid
   WHERE p.pronamespace = 'smp_server'::regnamespace ORDER BY 1";
const TRIGGERS: &str = "
  SELECT pg_get_triggerdef(t.oid)
    FROM pg_trigger t JOIN pg_class c ON c.oid = t.tgrelid
   WHERE NOT t.tgisinternal AND c.relnamespace = 'smp_server'::regnamespace ORDER BY 1";

/// The columns of all tables, in their physical order.
pub(crate) fn columns(client: &mut Client) -> Vec<String> {
    lines(client, COLUMNS)
}

/// All constraints.
pub(crate) fn constraints(client: &mut Client) -> Vec<String> {
    lines(client, CONSTRAINTS)
}

/// All indexes.
pub(crate) fn indexes(client: &mut Client) -> Vec<String> {
    lines(client, INDEXES)
}

/// All triggers.
pub(crate) fn triggers(client: &mut Client) -> Vec<String> {
    lines(client, TRIGGERS)
}

/// Everything in the schema, the texts of its routines included.
pub(crate) fn whole(client: &mut Client) -> Vec<String> {
    let parts = [COLUMNS, CONSTRAINTS, INDEXES, ROUTINES, TRIGGERS];
    parts.iter().flat_map(|query| lines(client, query)).collect()
}

fn lines(client: &mut Client, query: &str) -> Vec<String> {
    client.batch_execute("SET search_path = smp_server").unwrap();
    client.query(query, &[]).unwrap().iter().map(|row| row.get(0)).collect()
}
