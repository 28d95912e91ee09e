-- Something to look at.
\connect demo
CREATE TABLE customer (id int PRIMARY KEY, name text, since date);
INSERT INTO customer VALUES (1, 'Ada', '1990-12-10'), (2, 'Grace', '2001-01-01');
