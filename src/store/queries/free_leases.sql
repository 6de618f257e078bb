-- free_leases: at the start of the only dialling process, nobody else's leases can hold
update run_contacts set leased_until = 0 where leased_until > 0
