/*
 * fields.h - which selectors `q=` and `sort=` know, per entity.  Names are hawkBit's where it has
 * one.  The SQL expressions use the aliases that the store's list queries give their tables:
 * target t, module m, dist_set d, action a, rollout r, rollout_group g,
 * target_filter f, every kind of type y, tag k.
 */
#ifndef MUE_SERVER_FLEET_FIELDS_H
#define MUE_SERVER_FLEET_FIELDS_H

#include "server/fleet/fiql.h"

extern const struct mue_field mue_fields_target[];
extern const struct mue_field mue_fields_module[];
extern const struct mue_field mue_fields_set[];
extern const struct mue_field mue_fields_action[];
extern const struct mue_field mue_fields_action_status[]; /* alias s */
extern const struct mue_field mue_fields_rollout[];
extern const struct mue_field mue_fields_group[];
extern const struct mue_field mue_fields_filter[];
extern const struct mue_field mue_fields_type[]; /* module, set and target types */
extern const struct mue_field mue_fields_tag[];
extern const struct mue_field mue_fields_metadata[]; /* alias x */

#endif
