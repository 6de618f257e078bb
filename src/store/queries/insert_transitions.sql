-- insert_transitions: what became of runs, by whom and why; a run that drains or waits is not just running
insert into run_transitions (run_id, seq, state, at, actor, by_name, reason)
select r.run_id,
       coalesce((select max(t.seq) from run_transitions t where t.run_id = r.run_id), 0) + 1,
       case when $2 = 'running' and r.draining_at is not null then 'draining'
            when $2 = 'running' and r.waits = 1 then 'scheduled'
            else $2 end,
       $3, $4, $5, $6
from runs r
join json_each($1) as w on w.value = r.run_id -- sqlite
join json_array_elements_text(cast($1 as json)) as w (value) on cast(w.value as bigint) = r.run_id -- postgres
