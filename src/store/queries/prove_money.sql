-- prove_money: budgets of a campaign, and those that are not what their calls' rows add up to
select (select count(*) from budgets b
        where b.owner_id = $1 or b.owner_id in (select run_id from runs where campaign_id = $1)) as budgets,
       (select count(*) from budgets b
        where b.day_at = 0 and b.owner_id in (select run_id from runs where campaign_id = $1)
          and (b.spent_micros, b.reserved_micros) <>
              (select cast(coalesce(sum(v.provider_micros + v.models_micros), 0) as bigint),
                      cast(coalesce(sum(v.reserved_micros), 0) as bigint)
               from reservations v where v.run_id = b.owner_id))
     + (select count(*) from budgets b
        where b.day_at <> 0 and b.owner_id = $1
          and (b.spent_micros, b.reserved_micros) <>
              (select cast(coalesce(sum(v.provider_micros + v.models_micros), 0) as bigint),
                      cast(coalesce(sum(v.reserved_micros), 0) as bigint)
               from reservations v join runs r on r.run_id = v.run_id
               where r.campaign_id = b.owner_id and v.day_at = b.day_at)) as wrong
