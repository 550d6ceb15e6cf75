-- Who brought a platform in: "" are those of version 1.
ALTER TABLE pccs_platforms ADD COLUMN origin $TEXT(32) NOT NULL DEFAULT '';

-- Of which environment all of it is: one row, of the first who said so.
CREATE TABLE pccs_environment (
	id    BIGINT NOT NULL PRIMARY KEY,
	roots $TEXT(255) NOT NULL
);
