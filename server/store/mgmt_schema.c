/* Schema step 2: what the management API and the rollout engine lean on. */
#include "server/store/schema.h"

#include <stddef.h>

#define SYSTEM "0, 'system', 0, 'system'"
#define TRACK  "created_at, created_by, modified_at, modified_by"

/* clang-format off */
const char *const mue_schema_mgmt[] = {
	/* No device is updated twice by one rollout: the database itself says so. */
	"CREATE UNIQUE INDEX action_once ON action (rollout_id, target_id)"
	" WHERE rollout_id IS NOT NULL",
	"CREATE INDEX target_installed ON target (installed_set)",
	"CREATE INDEX target_assigned ON target (assigned_set)",
	"CREATE INDEX rollout_status ON rollout (status)",

	/* Our own set type takes every kind of module, several of each. */
	"UPDATE set_type SET key = 'mue', name = 'mue', description = 'Any software'"
	" WHERE key = 'release'",
	/* hawkBit's names, so that its clients find what they expect. */
	"UPDATE module_type SET name = 'OS' WHERE key = 'os'",
	"UPDATE module_type SET name = 'Application' WHERE key = 'application'",
	"INSERT INTO set_type (key, name, description, " TRACK ") VALUES"
	" ('os', 'OS only', 'Default type with Firmware/OS only.', " SYSTEM "),"
	" ('app', 'App(s) only', 'Default type with app(s) only.', " SYSTEM "),"
	" ('os_app', 'OS with app(s)', 'Default type with Firmware/OS and optional app(s).', "
	SYSTEM ")",
	"INSERT INTO set_type_module (set_type_id, module_type_id, mandatory)"
	" SELECT s.id, m.id, CASE WHEN s.key = 'os_app' AND m.key = 'application' THEN 0 ELSE 1 END"
	" FROM set_type s, module_type m WHERE (s.key = 'os' AND m.key = 'os')"
	" OR (s.key = 'app' AND m.key = 'application')"
	" OR (s.key = 'os_app' AND m.key IN ('os', 'application'))",
	NULL,
};
/* clang-format on */
