-- A database for the service with two roles: `widgets_owner` owns the tables and migrates them,
-- `widgets_service` reads and writes rows and can change nothing else. As a superuser:
--
--     WIDGETS_OWNER_PASSWORD=… WIDGETS_SERVICE_PASSWORD=… psql -X -f database.sql postgres
--
-- Roles that exist keep their passwords, and then no password is needed. WIDGETS_DATABASE names
-- another database than `widgets`, such as one to restore a backup into.

\set ON_ERROR_STOP on
-- Not `\getenv`: psql 14 does not have it, and without the password it would set nothing.
\set database `echo "${WIDGETS_DATABASE:-widgets}"`
\set owner_password `echo "$WIDGETS_OWNER_PASSWORD"`
\set service_password `echo "$WIDGETS_SERVICE_PASSWORD"`

SELECT format('CREATE ROLE widgets_owner LOGIN PASSWORD %L', :'owner_password')
WHERE NOT EXISTS (SELECT FROM pg_roles WHERE rolname = 'widgets_owner') \gexec
SELECT format('CREATE ROLE widgets_service LOGIN PASSWORD %L', :'service_password')
WHERE NOT EXISTS (SELECT FROM pg_roles WHERE rolname = 'widgets_service') \gexec

CREATE DATABASE :"database" OWNER widgets_owner TEMPLATE template0 ENCODING 'UTF8';
REVOKE ALL ON DATABASE :"database" FROM PUBLIC;
GRANT CONNECT ON DATABASE :"database" TO widgets_service;

\connect :"database"
REVOKE ALL ON SCHEMA public FROM PUBLIC;
ALTER SCHEMA public OWNER TO widgets_owner;
GRANT USAGE ON SCHEMA public TO widgets_service;
-- What the owner creates later, in a migration or a restore.
ALTER DEFAULT PRIVILEGES FOR ROLE widgets_owner IN SCHEMA public
    GRANT SELECT, INSERT, UPDATE, DELETE ON TABLES TO widgets_service;
ALTER DEFAULT PRIVILEGES FOR ROLE widgets_owner IN SCHEMA public
    GRANT USAGE, SELECT ON SEQUENCES TO widgets_service;
