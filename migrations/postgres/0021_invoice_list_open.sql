-- The list of invoices knows what is open of each, and since when. Rows from before hold none of it until
-- `niyam projections rebuild invoice_list`.

alter table invoice_list add column direction text collate "C";
alter table invoice_list add column kind text collate "C";
alter table invoice_list add column due text collate "C"; -- ISO 8601
alter table invoice_list add column outstanding bigint not null default 0; -- ten-thousandths, 0 until issued

create index invoice_list_due on invoice_list (tenant, build, due) where outstanding > 0;
