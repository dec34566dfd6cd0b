#include "server/fleet/fields.h"

#include <stddef.h>

#define TEXT(name, sql)                         \
	{                                       \
		name, MUE_FIELD_TEXT, sql, NULL \
	}
#define INT(name, sql)                         \
	{                                      \
		name, MUE_FIELD_INT, sql, NULL \
	}
#define BOOL(name, sql)                         \
	{                                       \
		name, MUE_FIELD_BOOL, sql, NULL \
	}
#define MANY(name, sql, exists)                   \
	{                                         \
		name, MUE_FIELD_TEXT, sql, exists \
	}
#define END                                      \
	{                                        \
		NULL, MUE_FIELD_TEXT, NULL, NULL \
	}

/* What every entity has. */
#define TRACKED(alias)                                                                 \
	INT("createdat", alias ".created_at"), TEXT("createdby", alias ".created_by"), \
		INT("lastmodifiedat", alias ".modified_at"),                           \
		TEXT("lastmodifiedby", alias ".modified_by")

/* clang-format off */
const struct mue_field mue_fields_target[] = {
	TEXT("controllerid", "t.controller_id"),
	TEXT("id", "t.controller_id"),
	TEXT("name", "t.name"),
	TEXT("description", "t.description"),
	TEXT("address", "t.address"),
	TEXT("ipaddress", "t.address"),
	TEXT("group", "t.target_group"),
	TEXT("updatestatus", "t.update_status"),
	INT("lastcontrollerrequestat", "t.last_seen"),
	INT("installedat", "t.installed_at"),
	BOOL("autoconfirmactive", "t.auto_confirm"),
	TRACKED("t"),
	MANY("attribute.", "x.value",
	     "SELECT 1 FROM target_attribute x WHERE x.target_id = t.id AND x.key = %k"),
	MANY("controllerattributes.", "x.value",
	     "SELECT 1 FROM target_attribute x WHERE x.target_id = t.id AND x.key = %k"),
	MANY("metadata.", "x.value",
	     "SELECT 1 FROM target_metadata x WHERE x.target_id = t.id AND x.key = %k"),
	MANY("tag", "x.name",
	     "SELECT 1 FROM target_tag z JOIN tag x ON x.id = z.tag_id WHERE z.target_id = t.id"),
	MANY("tag.name", "x.name",
	     "SELECT 1 FROM target_tag z JOIN tag x ON x.id = z.tag_id WHERE z.target_id = t.id"),
	MANY("failedrollout", "CAST(x.rollout_id AS TEXT)",
	     "SELECT 1 FROM action x WHERE x.target_id = t.id AND x.status IN ('error', 'canceled')"),
	INT("assignedds.id", "t.assigned_set"),
	TEXT("assignedds.name", "(SELECT x.name FROM dist_set x WHERE x.id = t.assigned_set)"),
	TEXT("assignedds.version", "(SELECT x.version FROM dist_set x WHERE x.id = t.assigned_set)"),
	INT("installedds.id", "t.installed_set"),
	TEXT("installedds.name", "(SELECT x.name FROM dist_set x WHERE x.id = t.installed_set)"),
	TEXT("installedds.version",
	     "(SELECT x.version FROM dist_set x WHERE x.id = t.installed_set)"),
	INT("targettype.id", "t.type_id"),
	TEXT("targettype.key", "(SELECT x.key FROM target_type x WHERE x.id = t.type_id)"),
	TEXT("targettype.name", "(SELECT x.name FROM target_type x WHERE x.id = t.type_id)"),
	END
};

const struct mue_field mue_fields_module[] = {
	INT("id", "m.id"),
	TEXT("name", "m.name"),
	TEXT("version", "m.version"),
	TEXT("description", "m.description"),
	TEXT("vendor", "m.vendor"),
	TEXT("type", "(SELECT x.key FROM module_type x WHERE x.id = m.type_id)"),
	TEXT("type.key", "(SELECT x.key FROM module_type x WHERE x.id = m.type_id)"),
	TEXT("type.name", "(SELECT x.name FROM module_type x WHERE x.id = m.type_id)"),
	BOOL("locked", "m.locked"),
	TRACKED("m"),
	MANY("metadata.", "x.value",
	     "SELECT 1 FROM module_metadata x WHERE x.module_id = m.id AND x.key = %k"),
	END
};

const struct mue_field mue_fields_set[] = {
	INT("id", "d.id"),
	TEXT("name", "d.name"),
	TEXT("version", "d.version"),
	TEXT("description", "d.description"),
	TEXT("type", "(SELECT x.key FROM set_type x WHERE x.id = d.type_id)"),
	TEXT("type.key", "(SELECT x.key FROM set_type x WHERE x.id = d.type_id)"),
	TEXT("type.name", "(SELECT x.name FROM set_type x WHERE x.id = d.type_id)"),
	BOOL("valid", "d.valid"),
	BOOL("locked", "d.locked"),
	BOOL("requiredmigrationstep", "d.required_migration_step"),
	TRACKED("d"),
	MANY("metadata.", "x.value",
	     "SELECT 1 FROM set_metadata x WHERE x.set_id = d.id AND x.key = %k"),
	MANY("tag", "x.name",
	     "SELECT 1 FROM set_tag z JOIN tag x ON x.id = z.tag_id WHERE z.set_id = d.id"),
	MANY("tag.name", "x.name",
	     "SELECT 1 FROM set_tag z JOIN tag x ON x.id = z.tag_id WHERE z.set_id = d.id"),
	MANY("module.name", "x.name",
	     "SELECT 1 FROM set_module z JOIN module x ON x.id = z.module_id WHERE z.set_id = d.id"),
	MANY("module.version", "x.version",
	     "SELECT 1 FROM set_module z JOIN module x ON x.id = z.module_id WHERE z.set_id = d.id"),
	END
};

const struct mue_field mue_fields_action[] = {
	INT("id", "a.id"),
	TEXT("status", "CASE a.active WHEN 1 THEN 'pending' ELSE 'finished' END"),
	BOOL("active", "a.active"),
	TEXT("detailstatus", "a.status"),
	TEXT("forcetype", "a.type"),
	INT("weight", "a.weight"),
	INT("laststatuscode", "a.last_code"),
	TEXT("externalref", "a.external_ref"),
	TRACKED("a"),
	TEXT("target.controllerid",
	     "(SELECT x.controller_id FROM target x WHERE x.id = a.target_id)"),
	TEXT("target.name", "(SELECT x.name FROM target x WHERE x.id = a.target_id)"),
	TEXT("target.updatestatus", "(SELECT x.update_status FROM target x WHERE x.id = a.target_id)"),
	TEXT("target.ipaddress", "(SELECT x.address FROM target x WHERE x.id = a.target_id)"),
	INT("distributionset.id", "a.set_id"),
	TEXT("distributionset.name", "(SELECT x.name FROM dist_set x WHERE x.id = a.set_id)"),
	TEXT("distributionset.version", "(SELECT x.version FROM dist_set x WHERE x.id = a.set_id)"),
	INT("rollout.id", "a.rollout_id"),
	TEXT("rollout.name", "(SELECT x.name FROM rollout x WHERE x.id = a.rollout_id)"),
	INT("rolloutgroup.id", "a.group_id"),
	TEXT("rolloutgroup.name", "(SELECT x.name FROM rollout_group x WHERE x.id = a.group_id)"),
	END
};

const struct mue_field mue_fields_action_status[] = {
	INT("id", "s.id"),
	TEXT("status", "s.status"),
	TEXT("type", "s.status"),
	INT("reportedat", "s.reported_at"),
	INT("timestamp", "s.occurred_at"),
	INT("code", "s.code"),
	END
};

const struct mue_field mue_fields_rollout[] = {
	INT("id", "r.id"),
	TEXT("name", "r.name"),
	TEXT("description", "r.description"),
	TEXT("status", "r.status"),
	INT("startat", "r.start_at"),
	INT("weight", "r.weight"),
	BOOL("dynamic", "r.dynamic"),
	INT("distributionset.id", "r.set_id"),
	TEXT("distributionset.name", "(SELECT x.name FROM dist_set x WHERE x.id = r.set_id)"),
	TEXT("distributionset.version", "(SELECT x.version FROM dist_set x WHERE x.id = r.set_id)"),
	TRACKED("r"),
	END
};

const struct mue_field mue_fields_group[] = {
	INT("id", "g.id"),
	TEXT("name", "g.name"),
	TEXT("description", "g.description"),
	TEXT("status", "g.status"),
	INT("position", "g.position"),
	TRACKED("g"),
	END
};

const struct mue_field mue_fields_filter[] = {
	INT("id", "f.id"),
	TEXT("name", "f.name"),
	TEXT("query", "f.query"),
	INT("autoassigndistributionset.id", "f.auto_set"),
	TEXT("autoassigndistributionset.name",
	     "(SELECT x.name FROM dist_set x WHERE x.id = f.auto_set)"),
	TEXT("autoassigndistributionset.version",
	     "(SELECT x.version FROM dist_set x WHERE x.id = f.auto_set)"),
	TRACKED("f"),
	END
};

const struct mue_field mue_fields_type[] = {
	INT("id", "y.id"),
	TEXT("key", "y.key"),
	TEXT("name", "y.name"),
	TEXT("description", "y.description"),
	TEXT("colour", "y.colour"),
	TRACKED("y"),
	END
};

const struct mue_field mue_fields_tag[] = {
	INT("id", "k.id"),
	TEXT("name", "k.name"),
	TEXT("description", "k.description"),
	TEXT("colour", "k.colour"),
	TRACKED("k"),
	END
};

const struct mue_field mue_fields_metadata[] = {
	TEXT("key", "x.key"),
	TEXT("value", "x.value"),
	END
};
/* clang-format on */
