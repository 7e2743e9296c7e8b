-- Times of creation rise with the ids of runs, so that bounds on them are found
-- without an index, which each new run had to be written into.
DROP INDEX runs_by_creation;
