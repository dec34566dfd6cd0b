/*
 * The schema, as the list of steps that lead to it.  A step that was released is never edited:
 * append the next one.
 */
#include "server/store/schema.h"

#include <stddef.h>

/* clang-format off */
static const char *const step1[] = {
	/* Server's own settings: name and value. */
	"CREATE TABLE config (key TEXT PRIMARY KEY, value TEXT NOT NULL) WITHOUT ROWID;",

	/* Operators' and gateways' tokens: only the SHA-256 (hex) of a token is kept. */
	"CREATE TABLE token ("
	" id INTEGER PRIMARY KEY, kind TEXT NOT NULL CHECK (kind IN ('operator','gateway')),"
	" name TEXT NOT NULL UNIQUE, sha256 TEXT NOT NULL UNIQUE, created_at INTEGER NOT NULL);",

	/* Every certificate the device CA issued. */
	"CREATE TABLE certificate ("
	" serial TEXT PRIMARY KEY, controller_id TEXT NOT NULL, issued_at INTEGER NOT NULL,"
	" expires_at INTEGER NOT NULL, revoked_at INTEGER) WITHOUT ROWID;",
	"CREATE INDEX certificate_controller ON certificate (controller_id);",

	"CREATE TABLE target_type ("
	" id INTEGER PRIMARY KEY, key TEXT NOT NULL UNIQUE, name TEXT NOT NULL UNIQUE,"
	" description TEXT, colour TEXT, created_at INTEGER NOT NULL, created_by TEXT NOT NULL,"
	" modified_at INTEGER NOT NULL, modified_by TEXT NOT NULL);",

	/* Kinds of software: os, firmware, application, config, library, driver at first. */
	"CREATE TABLE module_type ("
	" id INTEGER PRIMARY KEY, key TEXT NOT NULL UNIQUE, name TEXT NOT NULL UNIQUE,"
	" description TEXT, colour TEXT, max_assignments INTEGER NOT NULL DEFAULT 1,"
	" min_artifacts INTEGER NOT NULL DEFAULT 0, deleted INTEGER NOT NULL DEFAULT 0,"
	" created_at INTEGER NOT NULL, created_by TEXT NOT NULL,"
	" modified_at INTEGER NOT NULL, modified_by TEXT NOT NULL);",

	"CREATE TABLE module ("
	" id INTEGER PRIMARY KEY, type_id INTEGER NOT NULL REFERENCES module_type,"
	" name TEXT NOT NULL, version TEXT NOT NULL, vendor TEXT, description TEXT,"
	" encrypted INTEGER NOT NULL DEFAULT 0, locked INTEGER NOT NULL DEFAULT 0,"
	" deleted INTEGER NOT NULL DEFAULT 0,"
	" created_at INTEGER NOT NULL, created_by TEXT NOT NULL,"
	" modified_at INTEGER NOT NULL, modified_by TEXT NOT NULL);",
	"CREATE UNIQUE INDEX module_name ON module (type_id, name, version) WHERE deleted = 0;",
	"CREATE TABLE module_metadata ("
	" module_id INTEGER NOT NULL REFERENCES module ON DELETE CASCADE, key TEXT NOT NULL,"
	" value TEXT NOT NULL, target_visible INTEGER NOT NULL DEFAULT 0,"
	" PRIMARY KEY (module_id, key)) WITHOUT ROWID;",

	/* The last four: what a .suit envelope says (api/upload.h); NULL for other files. */
	"CREATE TABLE artifact ("
	" id INTEGER PRIMARY KEY, module_id INTEGER NOT NULL REFERENCES module ON DELETE CASCADE,"
	" filename TEXT NOT NULL, size INTEGER NOT NULL, sha256 TEXT NOT NULL, sha1 TEXT NOT NULL,"
	" md5 TEXT NOT NULL, created_at INTEGER NOT NULL, created_by TEXT NOT NULL,"
	" sequence INTEGER, manifest TEXT, vendor TEXT, class TEXT,"
	" UNIQUE (module_id, filename));",
	"CREATE INDEX artifact_sha256 ON artifact (sha256);",

	"CREATE TABLE set_type ("
	" id INTEGER PRIMARY KEY, key TEXT NOT NULL UNIQUE, name TEXT NOT NULL UNIQUE,"
	" description TEXT, colour TEXT, deleted INTEGER NOT NULL DEFAULT 0,"
	" created_at INTEGER NOT NULL, created_by TEXT NOT NULL,"
	" modified_at INTEGER NOT NULL, modified_by TEXT NOT NULL);",
	"CREATE TABLE set_type_module ("
	" set_type_id INTEGER NOT NULL REFERENCES set_type ON DELETE CASCADE,"
	" module_type_id INTEGER NOT NULL REFERENCES module_type, mandatory INTEGER NOT NULL,"
	" PRIMARY KEY (set_type_id, module_type_id)) WITHOUT ROWID;",
	"CREATE TABLE target_type_set_type ("
	" target_type_id INTEGER NOT NULL REFERENCES target_type ON DELETE CASCADE,"
	" set_type_id INTEGER NOT NULL REFERENCES set_type ON DELETE CASCADE,"
	" PRIMARY KEY (target_type_id, set_type_id)) WITHOUT ROWID;",

	"CREATE TABLE dist_set ("
	" id INTEGER PRIMARY KEY, type_id INTEGER NOT NULL REFERENCES set_type,"
	" name TEXT NOT NULL, version TEXT NOT NULL, description TEXT,"
	" required_migration_step INTEGER NOT NULL DEFAULT 0, locked INTEGER NOT NULL DEFAULT 0,"
	" valid INTEGER NOT NULL DEFAULT 1, deleted INTEGER NOT NULL DEFAULT 0,"
	" created_at INTEGER NOT NULL, created_by TEXT NOT NULL,"
	" modified_at INTEGER NOT NULL, modified_by TEXT NOT NULL);",
	"CREATE UNIQUE INDEX dist_set_name ON dist_set (name, version) WHERE deleted = 0;",
	"CREATE TABLE set_module ("
	" set_id INTEGER NOT NULL REFERENCES dist_set ON DELETE CASCADE,"
	" module_id INTEGER NOT NULL REFERENCES module, PRIMARY KEY (set_id, module_id))"
	" WITHOUT ROWID;",
	"CREATE INDEX set_module_module ON set_module (module_id);",
	"CREATE TABLE set_metadata ("
	" set_id INTEGER NOT NULL REFERENCES dist_set ON DELETE CASCADE, key TEXT NOT NULL,"
	" value TEXT NOT NULL, PRIMARY KEY (set_id, key)) WITHOUT ROWID;",

	/* update_status: unknown, in_sync, pending, error, registered. */
	"CREATE TABLE target ("
	" id INTEGER PRIMARY KEY, controller_id TEXT NOT NULL UNIQUE, name TEXT NOT NULL,"
	" description TEXT, address TEXT, target_group TEXT, security_token TEXT NOT NULL,"
	" type_id INTEGER REFERENCES target_type,"
	" update_status TEXT NOT NULL DEFAULT 'unknown',"
	" assigned_set INTEGER REFERENCES dist_set, installed_set INTEGER REFERENCES dist_set,"
	" installed_at INTEGER, last_seen INTEGER,"
	" request_attributes INTEGER NOT NULL DEFAULT 1,"
	" poll_s INTEGER," /* NULL: the server's */
	" auto_confirm INTEGER NOT NULL DEFAULT 0, auto_confirm_initiator TEXT,"
	" auto_confirm_remark TEXT, auto_confirm_at INTEGER,"
	" created_at INTEGER NOT NULL, created_by TEXT NOT NULL,"
	" modified_at INTEGER NOT NULL, modified_by TEXT NOT NULL);",
	"CREATE TABLE target_attribute ("
	" target_id INTEGER NOT NULL REFERENCES target ON DELETE CASCADE, key TEXT NOT NULL,"
	" value TEXT NOT NULL, PRIMARY KEY (target_id, key)) WITHOUT ROWID;",
	"CREATE TABLE target_metadata ("
	" target_id INTEGER NOT NULL REFERENCES target ON DELETE CASCADE, key TEXT NOT NULL,"
	" value TEXT NOT NULL, PRIMARY KEY (target_id, key)) WITHOUT ROWID;",

	/* kind: target or set. */
	"CREATE TABLE tag ("
	" id INTEGER PRIMARY KEY, kind TEXT NOT NULL, name TEXT NOT NULL, description TEXT,"
	" colour TEXT, created_at INTEGER NOT NULL, created_by TEXT NOT NULL,"
	" modified_at INTEGER NOT NULL, modified_by TEXT NOT NULL, UNIQUE (kind, name));",
	"CREATE TABLE target_tag ("
	" tag_id INTEGER NOT NULL REFERENCES tag ON DELETE CASCADE,"
	" target_id INTEGER NOT NULL REFERENCES target ON DELETE CASCADE,"
	" PRIMARY KEY (target_id, tag_id)) WITHOUT ROWID;",
	"CREATE INDEX target_tag_tag ON target_tag (tag_id);",
	"CREATE TABLE set_tag ("
	" tag_id INTEGER NOT NULL REFERENCES tag ON DELETE CASCADE,"
	" set_id INTEGER NOT NULL REFERENCES dist_set ON DELETE CASCADE,"
	" PRIMARY KEY (set_id, tag_id)) WITHOUT ROWID;",

	"CREATE TABLE target_filter ("
	" id INTEGER PRIMARY KEY, name TEXT NOT NULL UNIQUE, query TEXT NOT NULL,"
	" auto_set INTEGER REFERENCES dist_set, auto_type TEXT, auto_weight INTEGER,"
	" auto_confirmation INTEGER NOT NULL DEFAULT 0, auto_initiator TEXT,"
	" created_at INTEGER NOT NULL, created_by TEXT NOT NULL,"
	" modified_at INTEGER NOT NULL, modified_by TEXT NOT NULL);",

	/* status: creating, ready, waiting_for_approval, approval_denied, starting, running, paused,
	 * stopping, stopped, finished, deleting, deleted.  Thresholds are percentages. */
	"CREATE TABLE rollout ("
	" id INTEGER PRIMARY KEY, name TEXT NOT NULL, description TEXT,"
	" set_id INTEGER NOT NULL REFERENCES dist_set, filter TEXT NOT NULL,"
	" status TEXT NOT NULL, type TEXT NOT NULL DEFAULT 'forced', force_time INTEGER,"
	" weight INTEGER, start_at INTEGER, dynamic INTEGER NOT NULL DEFAULT 0,"
	" confirmation INTEGER NOT NULL DEFAULT 0, approval_remark TEXT, approved_by TEXT,"
	" stop_reason TEXT, total INTEGER NOT NULL DEFAULT 0,"
	" deleted INTEGER NOT NULL DEFAULT 0,"
	" created_at INTEGER NOT NULL, created_by TEXT NOT NULL,"
	" modified_at INTEGER NOT NULL, modified_by TEXT NOT NULL);",
	"CREATE UNIQUE INDEX rollout_name ON rollout (name) WHERE deleted = 0;",
	"CREATE TABLE rollout_group ("
	" id INTEGER PRIMARY KEY, rollout_id INTEGER NOT NULL REFERENCES rollout ON DELETE CASCADE,"
	" position INTEGER NOT NULL, name TEXT NOT NULL, description TEXT, filter TEXT,"
	" percentage REAL NOT NULL DEFAULT 100, max_targets INTEGER,"
	" status TEXT NOT NULL, success_condition TEXT NOT NULL DEFAULT 'threshold',"
	" success_threshold TEXT NOT NULL DEFAULT '50', success_action TEXT NOT NULL DEFAULT 'nextgroup',"
	" success_action_exp TEXT, error_condition TEXT DEFAULT 'threshold', error_threshold TEXT,"
	" error_action TEXT, error_action_exp TEXT, confirmation INTEGER NOT NULL DEFAULT 0,"
	" total INTEGER NOT NULL DEFAULT 0, opened_at INTEGER,"
	" created_at INTEGER NOT NULL, created_by TEXT NOT NULL,"
	" modified_at INTEGER NOT NULL, modified_by TEXT NOT NULL, UNIQUE (rollout_id, position));",
	"CREATE TABLE rollout_target ("
	" group_id INTEGER NOT NULL REFERENCES rollout_group ON DELETE CASCADE,"
	" target_id INTEGER NOT NULL REFERENCES target ON DELETE CASCADE,"
	" PRIMARY KEY (group_id, target_id)) WITHOUT ROWID;",
	"CREATE INDEX rollout_target_target ON rollout_target (target_id);",

	/* type: soft, forced, timeforced, downloadonly.  status: scheduled, wait_for_confirmation,
	 * running, retrieved, download, downloaded, warning, canceling, canceled, cancel_rejected,
	 * finished, error.  active: not finished, error or canceled. */
	"CREATE TABLE action ("
	" id INTEGER PRIMARY KEY AUTOINCREMENT,"
	" target_id INTEGER NOT NULL REFERENCES target ON DELETE CASCADE,"
	" set_id INTEGER NOT NULL REFERENCES dist_set, type TEXT NOT NULL, force_time INTEGER,"
	" status TEXT NOT NULL, active INTEGER NOT NULL, weight INTEGER,"
	" rollout_id INTEGER REFERENCES rollout, group_id INTEGER REFERENCES rollout_group,"
	" window_schedule TEXT, window_duration TEXT, window_timezone TEXT,"
	" external_ref TEXT, initiated_by TEXT NOT NULL, last_code INTEGER,"
	" created_at INTEGER NOT NULL, created_by TEXT NOT NULL,"
	" modified_at INTEGER NOT NULL, modified_by TEXT NOT NULL);",
	"CREATE INDEX action_target ON action (target_id, active);",
	"CREATE INDEX action_group ON action (group_id, status);",
	"CREATE INDEX action_rollout ON action (rollout_id, status);",
	"CREATE INDEX action_set ON action (set_id);",

	/* One line a report; `mark` is the digest of what the device sent: the same report again
	 * directly after itself is answered, not stored twice. */
	"CREATE TABLE action_status ("
	" id INTEGER PRIMARY KEY AUTOINCREMENT,"
	" action_id INTEGER NOT NULL REFERENCES action ON DELETE CASCADE,"
	" status TEXT NOT NULL, reported_at INTEGER NOT NULL, occurred_at INTEGER, code INTEGER,"
	" mark TEXT);",
	"CREATE INDEX action_status_action ON action_status (action_id);",
	"CREATE TABLE action_message ("
	" status_id INTEGER NOT NULL REFERENCES action_status ON DELETE CASCADE,"
	" position INTEGER NOT NULL, text TEXT NOT NULL, PRIMARY KEY (status_id, position))"
	" WITHOUT ROWID;",

	/* What is there from the start. */
	"INSERT INTO module_type (key, name, description, max_assignments, created_at, created_by,"
	" modified_at, modified_by) VALUES"
	" ('os', 'os', 'Operating system', 1, 0, 'system', 0, 'system'),"
	" ('firmware', 'firmware', 'Firmware', 16, 0, 'system', 0, 'system'),"
	" ('application', 'application', 'Application', 64, 0, 'system', 0, 'system'),"
	" ('config', 'config', 'Configuration', 64, 0, 'system', 0, 'system'),"
	" ('library', 'library', 'Library', 64, 0, 'system', 0, 'system'),"
	" ('driver', 'driver', 'Driver', 64, 0, 'system', 0, 'system');",
	"INSERT INTO set_type (key, name, description, created_at, created_by, modified_at,"
	" modified_by) VALUES ('release', 'release', 'Any software', 0, 'system', 0, 'system');",
	"INSERT INTO set_type_module SELECT s.id, m.id, 0 FROM set_type s, module_type m;",
	NULL,
};
/* clang-format on */

static const char *const *const steps[] = { step1, mue_schema_mgmt };

const char *const *mue_schema_step(unsigned version)
{
	return version < sizeof steps / sizeof steps[0] ? steps[version] : NULL;
}

const char *mue_schema_triggers(void)
{
	return "CREATE TEMP TRIGGER touch_target_new AFTER INSERT ON main.target BEGIN"
	       " SELECT mue_touch(NEW.id); END;"
	       "CREATE TEMP TRIGGER touch_target AFTER UPDATE OF controller_id, security_token,"
	       " assigned_set, installed_set, request_attributes, poll_s, auto_confirm"
	       " ON main.target BEGIN SELECT mue_touch(NEW.id); END;"
	       "CREATE TEMP TRIGGER touch_target_gone AFTER DELETE ON main.target BEGIN"
	       " SELECT mue_touch(OLD.id);"
	       " UPDATE certificate SET revoked_at = 1000 * unixepoch()"
	       " WHERE controller_id = OLD.controller_id AND revoked_at IS NULL; END;"
	       "CREATE TEMP TRIGGER touch_revoked AFTER UPDATE OF revoked_at ON main.certificate"
	       " BEGIN SELECT mue_touch(0); END;"
	       "CREATE TEMP TRIGGER touch_token AFTER INSERT ON main.token BEGIN"
	       " SELECT mue_touch(0); END;"
	       "CREATE TEMP TRIGGER touch_token_gone AFTER DELETE ON main.token BEGIN"
	       " SELECT mue_touch(0); END;"
	       "CREATE TEMP TRIGGER touch_config_new AFTER INSERT ON main.config BEGIN"
	       " SELECT mue_touch(0); END;"
	       "CREATE TEMP TRIGGER touch_config AFTER UPDATE ON main.config BEGIN"
	       " SELECT mue_touch(0); END;"
	       "CREATE TEMP TRIGGER touch_config_gone AFTER DELETE ON main.config BEGIN"
	       " SELECT mue_touch(0); END;"
	       "CREATE TEMP TRIGGER touch_action_new AFTER INSERT ON main.action BEGIN"
	       " SELECT mue_touch(NEW.target_id); END;"
	       "CREATE TEMP TRIGGER touch_action AFTER UPDATE ON main.action BEGIN"
	       " SELECT mue_touch(NEW.target_id); END;"
	       "CREATE TEMP TRIGGER touch_action_gone AFTER DELETE ON main.action BEGIN"
	       " SELECT mue_touch(OLD.target_id); END;";
}
