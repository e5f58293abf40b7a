-- A city's tickets with their history and figures, as Linli itself would have written them:
-- :first to :last of :tickets, in communities of ten thousand a year, of which the demo's is one.
-- Of ten, two went the whole way and were answered, four were accepted, one refused, and three are
-- as they were filed. `kinds` holds categories with their hours, departments, words; `pick`
-- scatters without a pattern, the same every time.

CREATE UNLOGGED TABLE chunk AS
SELECT
  (lpad(to_hex((extract(epoch FROM filed_at) * 1000)::bigint), 12, '0') || '7'
    || substr(md5(i::text), 1, 3) || '8' || substr(md5(i::text), 4, 15))::uuid AS id,
  to_char(day, 'YYYYMMDD') || '-' || lpad(nth::text, 6, '0') AS number,
  md5(i::text)::uuid AS command,
  community,
  community || '.e1.g1.b1' AS area,
  ARRAY['340603000000', left(community, 9) || '000', community, community || '.e1',
    community || '.e1.g1', community || '.e1.g1.b1'] AS area_path,
  '340603.' || substr(community, 7, 3) || '.' || substr(community, 10, 3) || '.e1.g1' AS place,
  ('00000000-0000-7000-8000-' || lpad(pick(i, 1, 300000)::text, 12, '0'))::uuid AS reporter,
  '00000000-0000-7000-9000-' || lpad(pick(i, 2, 1000)::text, 12, '0') AS clerk,
  ('00000000-0000-7000-a000-' || lpad(pick(i, 3, 1000)::text, 12, '0'))::uuid AS worker,
  fate,
  CASE WHEN fate = 'closed' THEN 7 WHEN fate = 'filed' THEN 1 ELSE 2 END AS steps,
  filed_at,
  accepted_at,
  accepted_at + interval '10 minutes' AS assigned_at,
  accepted_at + interval '1 hour' AS started_at,
  accepted_at + pick(i, 4, 4000) * interval '1 minute' + interval '2 hours' AS resolved_at,
  accepted_at + pick(i, 4, 4000) * interval '1 minute' + interval '8 hours' AS closed_at,
  CASE WHEN pick(i, 5, 5) > 0 THEN 'yes' ELSE 'partly' END AS solved,
  CASE WHEN pick(i, 6, 9) > 0 THEN 'yes' ELSE 'no' END AS satisfied,
  kinds.*
FROM (
  SELECT
    i,
    nth,
    day,
    community,
    day::timestamp AT TIME ZONE 'Asia/Shanghai' + pick(i, 7, 86399) * interval '1 second'
      AS filed_at,
    day::timestamp AT TIME ZONE 'Asia/Shanghai' + pick(i, 7, 86399) * interval '1 second'
      + (5 + pick(i, 8, 600)) * interval '1 minute' AS accepted_at,
    (ARRAY['closed', 'closed', 'accepted', 'accepted', 'accepted', 'accepted', 'refused',
      'filed', 'filed', 'filed'])[1 + pick(i, 9, 10)] AS fate
  FROM (
    SELECT
      i,
      -- The demo's community, and others beside it.
      CASE WHEN i % communities = 0 THEN '340603008002'
        ELSE '340603' || 100 + (i % communities) / 100
          || lpad((1 + (i % communities) % 100)::text, 3, '0') END AS community,
      :today ::date - 7 - ((i / communities) % 365)::integer AS day,
      i % communities + communities * ((i / communities) / 365) AS nth
    FROM generate_series(:first ::bigint, :last ::bigint) i,
      (SELECT greatest(1, :tickets ::bigint / 10000) AS communities) c
  ) numbered
) dated
JOIN kinds ON kinds.kind = pick(i, 10, (SELECT count(*) FROM kinds)::integer);

INSERT INTO tickets (id, number, kind, command_id, state, version, sequence, category, description,
  area, area_path, place, channel, visibility, priority, reporter, filed_by, department, assignee,
  accepted_by, responsible, send_backs, reopenings, resolution, refusal, solved, satisfied,
  filed_at, recorded_at, changed_at, accepted_at, assigned_at, started_at, resolved_at, closed_at,
  search)
SELECT id, number, 'request', command, fate, least(steps, 6), steps, category, description, area,
  area_path, place, 'page', 'private', 'normal', reporter, reporter::text,
  CASE WHEN fate = 'closed' THEN department END, CASE WHEN fate = 'closed' THEN worker END,
  CASE WHEN fate IN ('closed', 'accepted') THEN clerk END,
  CASE fate WHEN 'closed' THEN worker::text WHEN 'accepted' THEN clerk END,
  0, 0, CASE WHEN fate = 'closed' THEN '已处理' END, CASE WHEN fate = 'refused' THEN '不属于受理范围' END,
  CASE WHEN fate = 'closed' THEN solved END, CASE WHEN fate = 'closed' THEN satisfied END,
  filed_at, filed_at, CASE fate WHEN 'closed' THEN closed_at WHEN 'filed' THEN filed_at
    ELSE accepted_at END,
  CASE WHEN fate IN ('closed', 'accepted') THEN accepted_at END,
  CASE WHEN fate = 'closed' THEN assigned_at END, CASE WHEN fate = 'closed' THEN started_at END,
  CASE WHEN fate = 'closed' THEN resolved_at END, CASE WHEN fate = 'closed' THEN closed_at END,
  search ::tsvector
FROM chunk;

INSERT INTO history (ticket, sequence, move, event, from_state, to_state, version, department,
  assignee, actor, actor_kind, occurred_at, recorded_at, reason, details)
SELECT id, step, move, event, from_state, to_state, least(step, 5) + (step / 7),
  CASE WHEN step >= 3 THEN department END, CASE WHEN step >= 4 THEN worker END,
  CASE WHEN step IN (1, 6, 7) THEN reporter::text WHEN step IN (2, 3) THEN clerk
    ELSE worker::text END,
  'person', at, at, reason, details
FROM chunk
CROSS JOIN LATERAL (VALUES
  (1, 'filing', 'ticket_filed', NULL, 'filed', filed_at, NULL,
    jsonb_build_object('category', category)),
  (2, CASE fate WHEN 'refused' THEN 'refusal' ELSE 'acceptance' END,
    CASE fate WHEN 'refused' THEN 'ticket_refused' ELSE 'ticket_accepted' END, 'filed',
    CASE fate WHEN 'refused' THEN 'refused' ELSE 'accepted' END, accepted_at,
    CASE fate WHEN 'refused' THEN '不属于受理范围' END, '{}'),
  (3, 'assignment', 'ticket_assigned', 'accepted', 'assigned', assigned_at, NULL, '{}'),
  (4, 'work', 'ticket_started', 'assigned', 'in_progress', started_at, NULL, '{}'),
  (5, 'resolution', 'ticket_resolved', 'in_progress', 'resolved', resolved_at, '已处理', '{}'),
  (6, 'follow-up', 'ticket_rated', 'resolved', 'resolved', closed_at, NULL, jsonb_build_object(
    'solved', solved, 'satisfied', satisfied, 'contacted', NULL, 'called', false)),
  (7, 'closing', 'ticket_closed', 'resolved', 'closed', closed_at, NULL,
    jsonb_build_object('solved', solved))
) AS happened (step, move, event, from_state, to_state, at, reason, details)
WHERE step <= steps;

INSERT INTO figures (ticket, since, until, filed_at, area, area_path, community, channel, category,
  state, department, accepted_at, uncontacted, solved, satisfied, exclusions, solved_share,
  response_rate, resolution_rate, satisfaction_rate)
SELECT id, since, CASE WHEN step < least(steps, 6) THEN until END, filed_at, area, area_path,
  community, 'page', category, state, CASE WHEN step >= 3 THEN department END,
  CASE WHEN step >= 2 AND fate <> 'refused' THEN accepted_at END, false,
  CASE WHEN step = 6 THEN solved END, CASE WHEN step = 6 THEN satisfied END, '{}',
  CASE WHEN state <> 'refused' THEN
    CASE WHEN step = 6 AND solved = 'yes' THEN 'numerator' ELSE 'rest' END END,
  CASE WHEN state <> 'refused' THEN
    CASE WHEN step >= 2 AND accepted_at - filed_at <= hours * interval '1 hour'
      THEN 'numerator' ELSE 'rest' END END,
  CASE WHEN step = 6 THEN CASE WHEN solved = 'yes' THEN 'numerator' ELSE 'rest' END END,
  CASE WHEN step = 6 THEN CASE WHEN satisfied = 'yes' THEN 'numerator' ELSE 'rest' END END
FROM chunk
CROSS JOIN LATERAL (VALUES
  (1, 'filed', filed_at, accepted_at),
  (2, CASE fate WHEN 'refused' THEN 'refused' ELSE 'accepted' END, accepted_at, assigned_at),
  (3, 'assigned', assigned_at, started_at),
  (4, 'in_progress', started_at, resolved_at),
  (5, 'resolved', resolved_at, closed_at),
  (6, 'closed', closed_at, NULL)
) AS known (step, state, since, until)
WHERE step <= least(steps, 6);

DROP TABLE chunk;
