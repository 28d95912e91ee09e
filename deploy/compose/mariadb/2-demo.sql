-- Something to look at. It is in the binlog, which may not be empty when Debezium begins.
CREATE TABLE demo.product (id INT PRIMARY KEY, name VARCHAR(40), price DECIMAL(10, 2));
INSERT INTO demo.product VALUES (1, 'Phone', 2999.00), (2, 'Cable', 0.01), (3, 'Charger', 19.90);
