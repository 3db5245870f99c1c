-- Jobs that close and reopen fiscal years: which kinds of jobs there are is the program's business.

alter table jobs drop constraint if exists jobs_kind_check;
