/* tables.c - the items of the standards. Made by native/generate from the csv files of native/spec: do not edit.
 *
 * table.h says what a member is, and what it is where a row leaves it out: 0. In a key each byte but the eighth (octet
 * 8, the version of the registry) identifies the set or item.
 */
#include "table.h"

/* `key_size` counts the quotes and the colon of the key. */
#define KEY(name) .key = key_##name, .key_size = sizeof #name + 2

static const struct set set_st0601;
static const struct set set_st0102;
static const struct set set_st0903;
static const struct set set_vtarget;
static const struct set set_vtrackitem;
static const struct set set_vmask;
static const struct set set_vobject;
static const struct set set_vfeature;
static const struct set set_vtracker;
static const struct set set_vchip;
static const struct set set_algorithm;
static const struct set set_ontology;
static const struct set set_st0806;
static const struct set set_rvtpoi;
static const struct set set_rvtaoi;
static const struct set set_rvtuserdefined;
static const struct set set_st1002;
static const struct set set_st1108metric;
static const struct set set_st1202;
static const struct set set_st1206;
static const struct set set_st1601;
static const struct set set_st1602;

static const char key_checksum[KEY_PADDED] = "\"checksum\":";
static const char key_precision_time_stamp[KEY_PADDED] = "\"precision_time_stamp\":";
static const char key_mission_id[KEY_PADDED] = "\"mission_id\":";
static const char key_platform_tail_number[KEY_PADDED] = "\"platform_tail_number\":";
static const char key_platform_heading_angle[KEY_PADDED] = "\"platform_heading_angle\":";
static const char key_platform_pitch_angle[KEY_PADDED] = "\"platform_pitch_angle\":";
static const char key_platform_roll_angle[KEY_PADDED] = "\"platform_roll_angle\":";
static const char key_platform_true_airspeed[KEY_PADDED] = "\"platform_true_airspeed\":";
static const char key_platform_indicated_airspeed[KEY_PADDED] = "\"platform_indicated_airspeed\":";
static const char key_platform_designation[KEY_PADDED] = "\"platform_designation\":";
static const char key_image_source_sensor[KEY_PADDED] = "\"image_source_sensor\":";
static const char key_image_coordinate_system[KEY_PADDED] = "\"image_coordinate_system\":";
static const char key_sensor_latitude[KEY_PADDED] = "\"sensor_latitude\":";
static const char key_sensor_longitude[KEY_PADDED] = "\"sensor_longitude\":";
static const char key_sensor_true_altitude[KEY_PADDED] = "\"sensor_true_altitude\":";
static const char key_sensor_horizontal_field_of_view[KEY_PADDED] = "\"sensor_horizontal_field_of_view\":";
static const char key_sensor_vertical_field_of_view[KEY_PADDED] = "\"sensor_vertical_field_of_view\":";
static const char key_sensor_relative_azimuth_angle[KEY_PADDED] = "\"sensor_relative_azimuth_angle\":";
static const char key_sensor_relative_elevation_angle[KEY_PADDED] = "\"sensor_relative_elevation_angle\":";
static const char key_sensor_relative_roll_angle[KEY_PADDED] = "\"sensor_relative_roll_angle\":";
static const char key_slant_range[KEY_PADDED] = "\"slant_range\":";
static const char key_target_width[KEY_PADDED] = "\"target_width\":";
static const char key_frame_center_latitude[KEY_PADDED] = "\"frame_center_latitude\":";
static const char key_frame_center_longitude[KEY_PADDED] = "\"frame_center_longitude\":";
static const char key_frame_center_elevation[KEY_PADDED] = "\"frame_center_elevation\":";
static const char key_offset_corner_latitude_point_1[KEY_PADDED] = "\"offset_corner_latitude_point_1\":";
static const char key_offset_corner_longitude_point_1[KEY_PADDED] = "\"offset_corner_longitude_point_1\":";
static const char key_offset_corner_latitude_point_2[KEY_PADDED] = "\"offset_corner_latitude_point_2\":";
static const char key_offset_corner_longitude_point_2[KEY_PADDED] = "\"offset_corner_longitude_point_2\":";
static const char key_offset_corner_latitude_point_3[KEY_PADDED] = "\"offset_corner_latitude_point_3\":";
static const char key_offset_corner_longitude_point_3[KEY_PADDED] = "\"offset_corner_longitude_point_3\":";
static const char key_offset_corner_latitude_point_4[KEY_PADDED] = "\"offset_corner_latitude_point_4\":";
static const char key_offset_corner_longitude_point_4[KEY_PADDED] = "\"offset_corner_longitude_point_4\":";
static const struct code codes_st0601_34_icing_detected[] = {
    {.code = 0, .label = "\"Detector off\""},
    {.code = 1, .label = "\"No icing detected\""},
    {.code = 2, .label = "\"Icing detected\""},
};
static const char key_icing_detected[KEY_PADDED] = "\"icing_detected\":";
static const char key_wind_direction[KEY_PADDED] = "\"wind_direction\":";
static const char key_wind_speed[KEY_PADDED] = "\"wind_speed\":";
static const char key_static_pressure[KEY_PADDED] = "\"static_pressure\":";
static const char key_density_altitude[KEY_PADDED] = "\"density_altitude\":";
static const char key_outside_air_temperature[KEY_PADDED] = "\"outside_air_temperature\":";
static const char key_target_location_latitude[KEY_PADDED] = "\"target_location_latitude\":";
static const char key_target_location_longitude[KEY_PADDED] = "\"target_location_longitude\":";
static const char key_target_location_elevation[KEY_PADDED] = "\"target_location_elevation\":";
static const char key_target_track_gate_width[KEY_PADDED] = "\"target_track_gate_width\":";
static const char key_target_track_gate_height[KEY_PADDED] = "\"target_track_gate_height\":";
static const char key_target_error_estimate_ce90[KEY_PADDED] = "\"target_error_estimate_ce90\":";
static const char key_target_error_estimate_le90[KEY_PADDED] = "\"target_error_estimate_le90\":";
static const char key_laser_range[KEY_PADDED] = "\"laser_range\":";
static const char key_auto_track[KEY_PADDED] = "\"auto_track\":";
static const char key_ir_polarity[KEY_PADDED] = "\"ir_polarity\":";
static const char key_image_invalid[KEY_PADDED] = "\"image_invalid\":";
static const struct bits bits_st0601_47[] = {
    {.shift = 0, .width = 1, .key = key_laser_range},
    {.shift = 1, .width = 1, .key = key_auto_track},
    {.shift = 2, .width = 1, .key = key_ir_polarity},
    {.shift = 3, .width = 1, .key = key_icing_detected},
    {.shift = 4, .width = 1, .key = key_slant_range},
    {.shift = 5, .width = 1, .key = key_image_invalid},
};
static const char key_generic_flag_data[KEY_PADDED] = "\"generic_flag_data\":";
static const char key_security_local_set[KEY_PADDED] = "\"security_local_set\":";
static const char key_differential_pressure[KEY_PADDED] = "\"differential_pressure\":";
static const char key_platform_angle_of_attack[KEY_PADDED] = "\"platform_angle_of_attack\":";
static const char key_platform_vertical_speed[KEY_PADDED] = "\"platform_vertical_speed\":";
static const char key_platform_sideslip_angle[KEY_PADDED] = "\"platform_sideslip_angle\":";
static const char key_airfield_barometric_pressure[KEY_PADDED] = "\"airfield_barometric_pressure\":";
static const char key_airfield_elevation[KEY_PADDED] = "\"airfield_elevation\":";
static const char key_relative_humidity[KEY_PADDED] = "\"relative_humidity\":";
static const char key_platform_ground_speed[KEY_PADDED] = "\"platform_ground_speed\":";
static const char key_ground_range[KEY_PADDED] = "\"ground_range\":";
static const char key_platform_fuel_remaining[KEY_PADDED] = "\"platform_fuel_remaining\":";
static const char key_platform_call_sign[KEY_PADDED] = "\"platform_call_sign\":";
static const char key_weapon_load[KEY_PADDED] = "\"weapon_load\":";
static const char key_weapon_fired[KEY_PADDED] = "\"weapon_fired\":";
static const char key_laser_prf_code[KEY_PADDED] = "\"laser_prf_code\":";
static const struct code codes_st0601_63_sensor_field_of_view_name[] = {
    {.code = 0, .label = "\"Ultranarrow\""},
    {.code = 1, .label = "\"Narrow\""},
    {.code = 2, .label = "\"Medium\""},
    {.code = 3, .label = "\"Wide\""},
    {.code = 4, .label = "\"Ultrawide\""},
    {.code = 5, .label = "\"Narrow Medium\""},
    {.code = 6, .label = "\"2x Ultranarrow\""},
    {.code = 7, .label = "\"4x Ultranarrow\""},
    {.code = 8, .label = "\"Continuous Zoom\""},
};
static const char key_sensor_field_of_view_name[KEY_PADDED] = "\"sensor_field_of_view_name\":";
static const char key_platform_magnetic_heading[KEY_PADDED] = "\"platform_magnetic_heading\":";
static const char key_uas_datalink_ls_version_number[KEY_PADDED] = "\"uas_datalink_ls_version_number\":";
static const char key_deprecated_66[KEY_PADDED] = "\"deprecated_66\":";
static const char key_alternate_platform_latitude[KEY_PADDED] = "\"alternate_platform_latitude\":";
static const char key_alternate_platform_longitude[KEY_PADDED] = "\"alternate_platform_longitude\":";
static const char key_alternate_platform_altitude[KEY_PADDED] = "\"alternate_platform_altitude\":";
static const char key_alternate_platform_name[KEY_PADDED] = "\"alternate_platform_name\":";
static const char key_alternate_platform_heading[KEY_PADDED] = "\"alternate_platform_heading\":";
static const char key_event_start_time[KEY_PADDED] = "\"event_start_time\":";
static const char key_rvt_local_set[KEY_PADDED] = "\"rvt_local_set\":";
static const char key_vmti_local_set[KEY_PADDED] = "\"vmti_local_set\":";
static const char key_sensor_ellipsoid_height[KEY_PADDED] = "\"sensor_ellipsoid_height\":";
static const char key_alternate_platform_ellipsoid_height[KEY_PADDED] = "\"alternate_platform_ellipsoid_height\":";
static const struct code codes_st0601_77_operational_mode[] = {
    {.code = 0, .label = "\"Other\""},
    {.code = 1, .label = "\"Operational\""},
    {.code = 2, .label = "\"Training\""},
    {.code = 3, .label = "\"Exercise\""},
    {.code = 4, .label = "\"Maintenance\""},
    {.code = 5, .label = "\"Test\""},
};
static const char key_operational_mode[KEY_PADDED] = "\"operational_mode\":";
static const char key_frame_center_height_above_ellipsoid[KEY_PADDED] = "\"frame_center_height_above_ellipsoid\":";
static const char key_sensor_north_velocity[KEY_PADDED] = "\"sensor_north_velocity\":";
static const char key_sensor_east_velocity[KEY_PADDED] = "\"sensor_east_velocity\":";
static const char key_start_x[KEY_PADDED] = "\"start_x\":";
static const char key_start_y[KEY_PADDED] = "\"start_y\":";
static const char key_end_x[KEY_PADDED] = "\"end_x\":";
static const char key_end_y[KEY_PADDED] = "\"end_y\":";
static const char key_start_latitude[KEY_PADDED] = "\"start_latitude\":";
static const char key_start_longitude[KEY_PADDED] = "\"start_longitude\":";
static const char key_end_latitude[KEY_PADDED] = "\"end_latitude\":";
static const char key_end_longitude[KEY_PADDED] = "\"end_longitude\":";
static const struct element elements_imagehorizon[] = {
    {.op = P_FIX, .item = {KEY(start_x), .kind = K_UINT, .flags = F_ZERO, .len_min = 1, .len_max = 1, .max = 100.0}},
    {.op = P_FIX, .item = {KEY(start_y), .kind = K_UINT, .flags = F_ZERO, .len_min = 1, .len_max = 1, .max = 100.0}},
    {.op = P_FIX, .item = {KEY(end_x), .kind = K_UINT, .flags = F_ZERO, .len_min = 1, .len_max = 1, .max = 100.0}},
    {.op = P_FIX, .item = {KEY(end_y), .kind = K_UINT, .flags = F_ZERO, .len_min = 1, .len_max = 1, .max = 100.0}},
    {.op = P_FIX, .optional = 1, .item = {KEY(start_latitude), .kind = K_LINEAR_INT, .flags = F_ZERO, .decimals = 8,
        .len_min = 4, .len_max = 4, .min = -90.0, .max = 90.0, .scale = 4.190951587721217e-08,
        .print = 4.190951587721218, .special = "\"error\""}},
    {.op = P_FIX, .optional = 1, .item = {KEY(start_longitude), .kind = K_LINEAR_INT, .flags = F_ZERO, .decimals = 8,
        .len_min = 4, .len_max = 4, .min = -180.0, .max = 180.0, .scale = 8.381903175442434e-08,
        .print = 8.381903175442435, .special = "\"error\""}},
    {.op = P_FIX, .optional = 1, .item = {KEY(end_latitude), .kind = K_LINEAR_INT, .flags = F_ZERO, .decimals = 8,
        .len_min = 4, .len_max = 4, .min = -90.0, .max = 90.0, .scale = 4.190951587721217e-08,
        .print = 4.190951587721218, .special = "\"error\""}},
    {.op = P_FIX, .optional = 1, .item = {KEY(end_longitude), .kind = K_LINEAR_INT, .flags = F_ZERO, .decimals = 8,
        .len_min = 4, .len_max = 4, .min = -180.0, .max = 180.0, .scale = 8.381903175442434e-08,
        .print = 8.381903175442435, .special = "\"error\""}},
};
static const struct pack pack_imagehorizon = {.elements = elements_imagehorizon, .count = 8};
static const char key_image_horizon_pixel_pack[KEY_PADDED] = "\"image_horizon_pixel_pack\":";
static const char key_corner_latitude_point_1_full[KEY_PADDED] = "\"corner_latitude_point_1_full\":";
static const char key_corner_longitude_point_1_full[KEY_PADDED] = "\"corner_longitude_point_1_full\":";
static const char key_corner_latitude_point_2_full[KEY_PADDED] = "\"corner_latitude_point_2_full\":";
static const char key_corner_longitude_point_2_full[KEY_PADDED] = "\"corner_longitude_point_2_full\":";
static const char key_corner_latitude_point_3_full[KEY_PADDED] = "\"corner_latitude_point_3_full\":";
static const char key_corner_longitude_point_3_full[KEY_PADDED] = "\"corner_longitude_point_3_full\":";
static const char key_corner_latitude_point_4_full[KEY_PADDED] = "\"corner_latitude_point_4_full\":";
static const char key_corner_longitude_point_4_full[KEY_PADDED] = "\"corner_longitude_point_4_full\":";
static const char key_platform_pitch_angle_full[KEY_PADDED] = "\"platform_pitch_angle_full\":";
static const char key_platform_roll_angle_full[KEY_PADDED] = "\"platform_roll_angle_full\":";
static const char key_platform_angle_of_attack_full[KEY_PADDED] = "\"platform_angle_of_attack_full\":";
static const char key_platform_sideslip_angle_full[KEY_PADDED] = "\"platform_sideslip_angle_full\":";
static const char key_miis_core_identifier[KEY_PADDED] = "\"miis_core_identifier\":";
static const char key_sar_motion_imagery_local_set[KEY_PADDED] = "\"sar_motion_imagery_local_set\":";
static const char key_target_width_extended[KEY_PADDED] = "\"target_width_extended\":";
static const char key_range_image_local_set[KEY_PADDED] = "\"range_image_local_set\":";
static const char key_geo_registration_local_set[KEY_PADDED] = "\"geo_registration_local_set\":";
static const char key_composite_imaging_local_set[KEY_PADDED] = "\"composite_imaging_local_set\":";
static const char key_segment_local_set[KEY_PADDED] = "\"segment_local_set\":";
static const char key_amend_local_set[KEY_PADDED] = "\"amend_local_set\":";
static const char key_sdcc_flp[KEY_PADDED] = "\"sdcc_flp\":";
static const char key_density_altitude_extended[KEY_PADDED] = "\"density_altitude_extended\":";
static const char key_sensor_ellipsoid_height_extended[KEY_PADDED] = "\"sensor_ellipsoid_height_extended\":";
static const char key_alternate_platform_ellipsoid_height_extended[KEY_PADDED] =
    "\"alternate_platform_ellipsoid_height_extended\":";
static const char key_stream_designator[KEY_PADDED] = "\"stream_designator\":";
static const char key_operational_base[KEY_PADDED] = "\"operational_base\":";
static const char key_broadcast_source[KEY_PADDED] = "\"broadcast_source\":";
static const char key_range_to_recovery_location[KEY_PADDED] = "\"range_to_recovery_location\":";
static const char key_time_airborne[KEY_PADDED] = "\"time_airborne\":";
static const char key_propulsion_unit_speed[KEY_PADDED] = "\"propulsion_unit_speed\":";
static const char key_platform_course_angle[KEY_PADDED] = "\"platform_course_angle\":";
static const char key_altitude_agl[KEY_PADDED] = "\"altitude_agl\":";
static const char key_radar_altimeter[KEY_PADDED] = "\"radar_altimeter\":";
static const char key_command_id[KEY_PADDED] = "\"command_id\":";
static const char key_command[KEY_PADDED] = "\"command\":";
static const char key_command_time[KEY_PADDED] = "\"command_time\":";
static const struct element elements_controlcommand[] = {
    {.op = P_OID, .item = {KEY(command_id), .kind = K_UINT, .flags = F_ZERO}},
    {.op = P_LENGTH, .item = {KEY(command), .kind = K_TEXT, .flags = F_ZERO}},
    {.op = P_FIX, .optional = 1, .omitted = O_TIME, .item = {KEY(command_time), .kind = K_UINT, .flags = F_ZERO,
        .len_min = 8, .len_max = 8}},
};
static const struct pack pack_controlcommand = {.elements = elements_controlcommand, .count = 3};
static const char key_control_command[KEY_PADDED] = "\"control_command\":";
static const struct element elements_commandverification[] = {
    {.op = P_OID, .item = {KEY(command_id), .kind = K_UINT, .flags = F_ZERO}},
};
static const struct pack pack_commandverification = {.elements = elements_commandverification, .count = 1};
static const char key_control_command_verification_list[KEY_PADDED] = "\"control_command_verification_list\":";
static const char key_sensor_azimuth_rate[KEY_PADDED] = "\"sensor_azimuth_rate\":";
static const char key_sensor_elevation_rate[KEY_PADDED] = "\"sensor_elevation_rate\":";
static const char key_sensor_roll_rate[KEY_PADDED] = "\"sensor_roll_rate\":";
static const char key_on_board_mi_storage_percent_full[KEY_PADDED] = "\"on_board_mi_storage_percent_full\":";
static const struct code codes_st0601_121_wavelength_id[] = {
    {.code = 0, .label = "\"All\""},
    {.code = 1, .label = "\"VIS 380-750 nm\""},
    {.code = 2, .label = "\"IR 750-100000 nm\""},
    {.code = 3, .label = "\"NIR 750-3000 nm\""},
    {.code = 4, .label = "\"MIR 3000-8000 nm\""},
    {.code = 5, .label = "\"LIR 8000-14000 nm\""},
    {.code = 6, .label = "\"FIR 14000-100000 nm\""},
};
static const char key_wavelength_id[KEY_PADDED] = "\"wavelength_id\":";
static const struct element elements_activewavelengths[] = {
    {.op = P_OID, .item = {KEY(wavelength_id), .kind = K_ENUM, .flags = F_ZERO, .codes = codes_st0601_121_wavelength_id,
        .code_count = 7}},
};
static const struct pack pack_activewavelengths = {.elements = elements_activewavelengths, .count = 1};
static const char key_active_wavelength_list[KEY_PADDED] = "\"active_wavelength_list\":";
static const char key_coding_method_length[KEY_PADDED] = "\"coding_method_length\":";
static const struct code codes_st0601_122_coding_method[] = {
    {.code = 1, .label = "\"ISO-3166 Two Letter\""},
    {.code = 2, .label = "\"ISO-3166 Three Letter\""},
    {.code = 3, .label = "\"ISO-3166 Numeric\""},
    {.code = 4, .label = "\"FIPS 10-4 Two Letter\""},
    {.code = 5, .label = "\"FIPS 10-4 Four Letter\""},
    {.code = 6, .label = "\"1059 Two Letter\""},
    {.code = 7, .label = "\"1059 Three Letter\""},
    {.code = 8, .label = "\"Omitted Value\""},
    {.code = 9, .label = "\"Omitted Value\""},
    {.code = 10, .label = "\"Omitted Value\""},
    {.code = 11, .label = "\"Omitted Value\""},
    {.code = 12, .label = "\"Omitted Value\""},
    {.code = 13, .label = "\"GENC Two Letter\""},
    {.code = 14, .label = "\"GENC Three Letter\""},
    {.code = 15, .label = "\"GENC Numeric\""},
    {.code = 64, .label = "\"GENC AdminSub\""},
};
static const char key_coding_method[KEY_PADDED] = "\"coding_method\":";
static const char key_overflight_country[KEY_PADDED] = "\"overflight_country\":";
static const char key_operator_country[KEY_PADDED] = "\"operator_country\":";
static const char key_manufacture_country[KEY_PADDED] = "\"manufacture_country\":";
static const struct element elements_countrycodes[] = {
    {.op = P_GROUP, .item = {KEY(coding_method_length), .kind = K_UINT, .flags = F_ZERO}},
    {.op = P_FIX, .item = {KEY(coding_method), .kind = K_ENUM, .flags = F_ZERO, .len_min = 1, .len_max = 1, .min = 1.0,
        .max = 64.0, .codes = codes_st0601_122_coding_method, .code_count = 16}},
    {.op = P_LENGTH, .item = {KEY(overflight_country), .kind = K_TEXT, .flags = F_ZERO}},
    {.op = P_LENGTH, .optional = 1, .item = {KEY(operator_country), .kind = K_TEXT, .flags = F_ZERO}},
    {.op = P_LENGTH, .optional = 1, .item = {KEY(manufacture_country), .kind = K_TEXT, .flags = F_ZERO}},
};
static const struct pack pack_countrycodes = {.elements = elements_countrycodes, .count = 5};
static const char key_country_codes[KEY_PADDED] = "\"country_codes\":";
static const char key_number_of_navsats_in_view[KEY_PADDED] = "\"number_of_navsats_in_view\":";
static const char key_on_board_ins[KEY_PADDED] = "\"on_board_ins\":";
static const char key_gps[KEY_PADDED] = "\"gps\":";
static const char key_galileo[KEY_PADDED] = "\"galileo\":";
static const char key_qzss[KEY_PADDED] = "\"qzss\":";
static const char key_navic[KEY_PADDED] = "\"navic\":";
static const char key_glonass[KEY_PADDED] = "\"glonass\":";
static const char key_beidou_1[KEY_PADDED] = "\"beidou_1\":";
static const char key_beidou_2[KEY_PADDED] = "\"beidou_2\":";
static const struct bits bits_st0601_124[] = {
    {.shift = 0, .width = 1, .key = key_on_board_ins},
    {.shift = 1, .width = 1, .key = key_gps},
    {.shift = 2, .width = 1, .key = key_galileo},
    {.shift = 3, .width = 1, .key = key_qzss},
    {.shift = 4, .width = 1, .key = key_navic},
    {.shift = 5, .width = 1, .key = key_glonass},
    {.shift = 6, .width = 1, .key = key_beidou_1},
    {.shift = 7, .width = 1, .key = key_beidou_2},
};
static const char key_positioning_method_source[KEY_PADDED] = "\"positioning_method_source\":";
static const struct code codes_st0601_125_platform_status[] = {
    {.code = 0, .label = "\"Active\""},
    {.code = 1, .label = "\"Pre-flight\""},
    {.code = 2, .label = "\"Pre-flight-taxiing\""},
    {.code = 3, .label = "\"Run-up\""},
    {.code = 4, .label = "\"Take-off\""},
    {.code = 5, .label = "\"Ingress\""},
    {.code = 6, .label = "\"Manual operation\""},
    {.code = 7, .label = "\"Automated-orbit\""},
    {.code = 8, .label = "\"Transitioning\""},
    {.code = 9, .label = "\"Egress\""},
    {.code = 10, .label = "\"Landing\""},
    {.code = 11, .label = "\"Landed-taxiing\""},
    {.code = 12, .label = "\"Landed-Parked\""},
};
static const char key_platform_status[KEY_PADDED] = "\"platform_status\":";
static const struct code codes_st0601_126_sensor_control_mode[] = {
    {.code = 0, .label = "\"Off\""},
    {.code = 1, .label = "\"Home Position\""},
    {.code = 2, .label = "\"Uncontrolled\""},
    {.code = 3, .label = "\"Manual Control\""},
    {.code = 4, .label = "\"Calibrating\""},
    {.code = 5, .label = "\"Auto - Holding Position\""},
    {.code = 6, .label = "\"Auto - Tracking\""},
};
static const char key_sensor_control_mode[KEY_PADDED] = "\"sensor_control_mode\":";
static const char key_numerator[KEY_PADDED] = "\"numerator\":";
static const char key_denominator[KEY_PADDED] = "\"denominator\":";
static const struct element elements_framerate[] = {
    {.op = P_OID, .item = {KEY(numerator), .kind = K_UINT, .flags = F_ZERO}},
    {.op = P_OID, .optional = 1, .omitted = O_VALUE, .value = 1, .item = {KEY(denominator), .kind = K_UINT,
        .flags = F_ZERO}},
};
static const struct pack pack_framerate = {.elements = elements_framerate, .count = 2};
static const char key_sensor_frame_rate_pack[KEY_PADDED] = "\"sensor_frame_rate_pack\":";
static const char key_record_length[KEY_PADDED] = "\"record_length\":";
static const char key_min_wavelength_nm[KEY_PADDED] = "\"min_wavelength_nm\":";
static const char key_max_wavelength_nm[KEY_PADDED] = "\"max_wavelength_nm\":";
static const char key_name[KEY_PADDED] = "\"name\":";
static const struct element elements_wavelengthrecord[] = {
    {.op = P_RECORDS, .item = {KEY(record_length), .kind = K_UINT, .flags = F_ZERO}},
    {.op = P_OID, .item = {KEY(wavelength_id), .kind = K_UINT, .flags = F_ZERO, .min = 21.0}},
    {.op = P_FIX, .item = {KEY(min_wavelength_nm), .kind = K_IMAPB, .flags = F_ZERO, .range_power = 30, .len_min = 4,
        .len_max = 4, .max = 1000000000.0}},
    {.op = P_FIX, .item = {KEY(max_wavelength_nm), .kind = K_IMAPB, .flags = F_ZERO, .range_power = 30, .len_min = 4,
        .len_max = 4, .max = 1000000000.0}},
    {.op = P_REST, .item = {KEY(name), .kind = K_TEXT, .flags = F_ZERO}},
};
static const struct pack pack_wavelengthrecord = {.elements = elements_wavelengthrecord, .count = 5};
static const char key_wavelengths_list[KEY_PADDED] = "\"wavelengths_list\":";
static const char key_target_id[KEY_PADDED] = "\"target_id\":";
static const char key_takeoff_length[KEY_PADDED] = "\"takeoff_length\":";
static const char key_takeoff_latitude[KEY_PADDED] = "\"takeoff_latitude\":";
static const char key_takeoff_longitude[KEY_PADDED] = "\"takeoff_longitude\":";
static const char key_takeoff_hae[KEY_PADDED] = "\"takeoff_hae\":";
static const char key_recovery_length[KEY_PADDED] = "\"recovery_length\":";
static const char key_recovery_latitude[KEY_PADDED] = "\"recovery_latitude\":";
static const char key_recovery_longitude[KEY_PADDED] = "\"recovery_longitude\":";
static const char key_recovery_hae[KEY_PADDED] = "\"recovery_hae\":";
static const struct element elements_airbaselocations[] = {
    {.op = P_GROUP, .item = {KEY(takeoff_length), .kind = K_UINT, .flags = F_ZERO}},
    {.op = P_FIX, .item = {KEY(takeoff_latitude), .kind = K_IMAPB, .flags = F_ZERO, .range_power = 8, .len_min = 4,
        .len_max = 4, .min = -90.0, .max = 90.0}},
    {.op = P_FIX, .item = {KEY(takeoff_longitude), .kind = K_IMAPB, .flags = F_ZERO, .range_power = 9, .len_min = 4,
        .len_max = 4, .min = -180.0, .max = 180.0}},
    {.op = P_FIX, .optional = 1, .item = {KEY(takeoff_hae), .kind = K_IMAPB, .flags = F_ZERO, .range_power = 14,
        .len_min = 3, .len_max = 3, .min = -900.0, .max = 9000.0}},
    {.op = P_GROUP, .optional = 1, .omitted = O_GROUP, .item = {KEY(recovery_length), .kind = K_UINT, .flags = F_ZERO}},
    {.op = P_FIX, .optional = 1, .item = {KEY(recovery_latitude), .kind = K_IMAPB, .flags = F_ZERO, .range_power = 8,
        .len_min = 4, .len_max = 4, .min = -90.0, .max = 90.0}},
    {.op = P_FIX, .optional = 1, .item = {KEY(recovery_longitude), .kind = K_IMAPB, .flags = F_ZERO, .range_power = 9,
        .len_min = 4, .len_max = 4, .min = -180.0, .max = 180.0}},
    {.op = P_FIX, .optional = 1, .item = {KEY(recovery_hae), .kind = K_IMAPB, .flags = F_ZERO, .range_power = 14,
        .len_min = 3, .len_max = 3, .min = -900.0, .max = 9000.0}},
};
static const struct pack pack_airbaselocations = {.elements = elements_airbaselocations, .count = 8};
static const char key_airbase_locations[KEY_PADDED] = "\"airbase_locations\":";
static const char key_take_off_time[KEY_PADDED] = "\"take_off_time\":";
static const char key_transmission_frequency[KEY_PADDED] = "\"transmission_frequency\":";
static const char key_on_board_mi_storage_capacity[KEY_PADDED] = "\"on_board_mi_storage_capacity\":";
static const char key_zoom_percentage[KEY_PADDED] = "\"zoom_percentage\":";
static const char key_communications_method[KEY_PADDED] = "\"communications_method\":";
static const char key_leap_seconds[KEY_PADDED] = "\"leap_seconds\":";
static const char key_correction_offset[KEY_PADDED] = "\"correction_offset\":";
static const char key_payload_count[KEY_PADDED] = "\"payload_count\":";
static const char key_payload_id[KEY_PADDED] = "\"payload_id\":";
static const struct code codes_st0601_138_payload_type[] = {
    {.code = 0, .label = "\"Electro Optical MI Sensor\""},
    {.code = 1, .label = "\"LIDAR\""},
    {.code = 2, .label = "\"RADAR\""},
    {.code = 3, .label = "\"SIGINT\""},
    {.code = 4, .label = "\"SAR\""},
};
static const char key_payload_type[KEY_PADDED] = "\"payload_type\":";
static const struct element elements_payloadrecord[] = {
    {.op = P_OID, .item = {KEY(payload_count), .kind = K_UINT, .flags = F_ZERO}},
    {.op = P_RECORDS, .item = {KEY(record_length), .kind = K_UINT, .flags = F_ZERO}},
    {.op = P_OID, .item = {KEY(payload_id), .kind = K_UINT, .flags = F_ZERO}},
    {.op = P_OID, .item = {KEY(payload_type), .kind = K_ENUM, .flags = F_ZERO, .max = 4.0,
        .codes = codes_st0601_138_payload_type, .code_count = 5}},
    {.op = P_LENGTH, .item = {KEY(name), .kind = K_TEXT, .flags = F_ZERO}},
};
static const struct pack pack_payloadrecord = {.elements = elements_payloadrecord, .count = 5};
static const char key_payload_list[KEY_PADDED] = "\"payload_list\":";
static const char key_active_payloads[KEY_PADDED] = "\"active_payloads\":";
static const char key_station_id[KEY_PADDED] = "\"station_id\":";
static const char key_hardpoint_id[KEY_PADDED] = "\"hardpoint_id\":";
static const char key_carriage_id[KEY_PADDED] = "\"carriage_id\":";
static const char key_store_id[KEY_PADDED] = "\"store_id\":";
static const char key_general_status[KEY_PADDED] = "\"general_status\":";
static const struct code codes_bits_st0601_140_status_general_status[] = {
    {.code = 0, .label = "\"Off\""},
    {.code = 1, .label = "\"Initialization\""},
    {.code = 2, .label = "\"Ready (Degraded)\""},
    {.code = 3, .label = "\"Ready (All Up Round)\""},
    {.code = 4, .label = "\"Launch\""},
    {.code = 5, .label = "\"Free Flight\""},
    {.code = 6, .label = "\"Abort\""},
    {.code = 7, .label = "\"Miss Fire\""},
    {.code = 8, .label = "\"Hang Fire\""},
    {.code = 9, .label = "\"Jettisoned\""},
    {.code = 10, .label = "\"Stepped Over\""},
    {.code = 11, .label = "\"No Status Available\""},
};
static const char key_fuze_enabled[KEY_PADDED] = "\"fuze_enabled\":";
static const char key_laser_enabled[KEY_PADDED] = "\"laser_enabled\":";
static const char key_target_enabled[KEY_PADDED] = "\"target_enabled\":";
static const char key_weapon_armed[KEY_PADDED] = "\"weapon_armed\":";
static const struct bits bits_st0601_140_status[] = {
    {.shift = 0, .width = 7, .key = key_general_status, .codes = codes_bits_st0601_140_status_general_status,
        .code_count = 12},
    {.shift = 8, .width = 1, .key = key_fuze_enabled},
    {.shift = 9, .width = 1, .key = key_laser_enabled},
    {.shift = 10, .width = 1, .key = key_target_enabled},
    {.shift = 11, .width = 1, .key = key_weapon_armed},
};
static const char key_status[KEY_PADDED] = "\"status\":";
static const char key_weapon_type[KEY_PADDED] = "\"weapon_type\":";
static const struct element elements_weaponrecord[] = {
    {.op = P_RECORDS, .item = {KEY(record_length), .kind = K_UINT, .flags = F_ZERO}},
    {.op = P_OID, .item = {KEY(station_id), .kind = K_UINT, .flags = F_ZERO}},
    {.op = P_OID, .item = {KEY(hardpoint_id), .kind = K_UINT, .flags = F_ZERO}},
    {.op = P_OID, .item = {KEY(carriage_id), .kind = K_UINT, .flags = F_ZERO}},
    {.op = P_OID, .item = {KEY(store_id), .kind = K_UINT, .flags = F_ZERO}},
    {.op = P_OID, .item = {KEY(status), .kind = K_BITS, .flags = F_ZERO, .bits = bits_st0601_140_status,
        .code_count = 5}},
    {.op = P_LENGTH, .item = {KEY(weapon_type), .kind = K_TEXT, .flags = F_ZERO}},
};
static const struct pack pack_weaponrecord = {.elements = elements_weaponrecord, .count = 7};
static const char key_weapons_stores[KEY_PADDED] = "\"weapons_stores\":";
static const char key_waypoint_id[KEY_PADDED] = "\"waypoint_id\":";
static const char key_prosecution_order[KEY_PADDED] = "\"prosecution_order\":";
static const char key_mode[KEY_PADDED] = "\"mode\":";
static const char key_source[KEY_PADDED] = "\"source\":";
static const struct bits bits_st0601_141_info[] = {
    {.shift = 0, .width = 1, .key = key_mode},
    {.shift = 1, .width = 1, .key = key_source},
};
static const char key_info[KEY_PADDED] = "\"info\":";
static const char key_latitude[KEY_PADDED] = "\"latitude\":";
static const char key_longitude[KEY_PADDED] = "\"longitude\":";
static const char key_hae[KEY_PADDED] = "\"hae\":";
static const struct element elements_waypointrecord[] = {
    {.op = P_RECORDS, .item = {KEY(record_length), .kind = K_UINT, .flags = F_ZERO}},
    {.op = P_OID, .item = {KEY(waypoint_id), .kind = K_UINT, .flags = F_ZERO}},
    {.op = P_FIX, .item = {KEY(prosecution_order), .kind = K_INT, .flags = F_ZERO, .len_min = 2, .len_max = 2,
        .min = -32768.0, .max = 32767.0}},
    {.op = P_OID, .optional = 1, .item = {KEY(info), .kind = K_BITS, .flags = F_ZERO, .max = 3.0,
        .bits = bits_st0601_141_info, .code_count = 2}},
    {.op = P_FIX, .optional = 1, .item = {KEY(latitude), .kind = K_IMAPB, .flags = F_ZERO, .range_power = 8,
        .len_min = 4, .len_max = 4, .min = -90.0, .max = 90.0}},
    {.op = P_FIX, .optional = 1, .item = {KEY(longitude), .kind = K_IMAPB, .flags = F_ZERO, .range_power = 9,
        .len_min = 4, .len_max = 4, .min = -180.0, .max = 180.0}},
    {.op = P_FIX, .optional = 1, .item = {KEY(hae), .kind = K_IMAPB, .flags = F_ZERO, .range_power = 14, .len_min = 3,
        .len_max = 3, .min = -900.0, .max = 9000.0}},
};
static const struct pack pack_waypointrecord = {.elements = elements_waypointrecord, .count = 7};
static const char key_waypoint_list[KEY_PADDED] = "\"waypoint_list\":";
static const char key_azimuth_length[KEY_PADDED] = "\"azimuth_length\":";
static const char key_azimuth_start[KEY_PADDED] = "\"azimuth_start\":";
static const char key_azimuth_range[KEY_PADDED] = "\"azimuth_range\":";
static const char key_elevation_length[KEY_PADDED] = "\"elevation_length\":";
static const char key_elevation_start[KEY_PADDED] = "\"elevation_start\":";
static const char key_elevation_range[KEY_PADDED] = "\"elevation_range\":";
static const char key_roll_length[KEY_PADDED] = "\"roll_length\":";
static const char key_roll_start[KEY_PADDED] = "\"roll_start\":";
static const char key_roll_range[KEY_PADDED] = "\"roll_range\":";
static const struct element elements_viewdomain[] = {
    {.op = P_GROUP, .item = {KEY(azimuth_length), .kind = K_UINT, .flags = F_ZERO}},
    {.op = P_HALF, .optional = 1, .item = {KEY(azimuth_start), .kind = K_IMAPB, .flags = F_ZERO, .range_power = 9,
        .max = 360.0}},
    {.op = P_HALF, .optional = 1, .item = {KEY(azimuth_range), .kind = K_IMAPB, .flags = F_ZERO, .range_power = 9,
        .max = 360.0}},
    {.op = P_GROUP, .optional = 1, .item = {KEY(elevation_length), .kind = K_UINT, .flags = F_ZERO}},
    {.op = P_HALF, .optional = 1, .item = {KEY(elevation_start), .kind = K_IMAPB, .flags = F_ZERO, .range_power = 9,
        .min = -180.0, .max = 180.0}},
    {.op = P_HALF, .optional = 1, .item = {KEY(elevation_range), .kind = K_IMAPB, .flags = F_ZERO, .range_power = 9,
        .max = 360.0}},
    {.op = P_GROUP, .optional = 1, .item = {KEY(roll_length), .kind = K_UINT, .flags = F_ZERO}},
    {.op = P_HALF, .optional = 1, .item = {KEY(roll_start), .kind = K_IMAPB, .flags = F_ZERO, .range_power = 9,
        .max = 360.0}},
    {.op = P_HALF, .optional = 1, .item = {KEY(roll_range), .kind = K_IMAPB, .flags = F_ZERO, .range_power = 9,
        .max = 360.0}},
};
static const struct pack pack_viewdomain = {.elements = elements_viewdomain, .count = 9};
static const char key_view_domain[KEY_PADDED] = "\"view_domain\":";
static const char key_local_id[KEY_PADDED] = "\"local_id\":";
static const char key_universal_id[KEY_PADDED] = "\"universal_id\":";
static const struct element elements_metadatasubstreamid[] = {
    {.op = P_OID, .item = {KEY(local_id), .kind = K_UINT, .flags = F_ZERO}},
    {.op = P_FIX, .optional = 1, .item = {KEY(universal_id), .kind = K_UUID, .flags = F_ZERO, .len_min = 16,
        .len_max = 16}},
};
static const struct pack pack_metadatasubstreamid = {.elements = elements_metadatasubstreamid, .count = 2};
static const char key_metadata_substream_id[KEY_PADDED] = "\"metadata_substream_id\":";
static const struct item items_st0601[144] = {
    [1] = {KEY(checksum), .kind = K_UINT, .len_min = 2, .len_max = 2, .max = 65535.0},
    [2] = {KEY(precision_time_stamp), .kind = K_UINT, .len_min = 8, .len_max = 8, .max = 1.8446744073709552e+19},
    [3] = {KEY(mission_id), .kind = K_TEXT, .flags = F_ZERO, .len_max = 127},
    [4] = {KEY(platform_tail_number), .kind = K_TEXT, .flags = F_ZERO, .len_max = 127},
    [5] = {KEY(platform_heading_angle), .kind = K_LINEAR_UINT, .flags = F_ZERO, .decimals = 3, .len_min = 2,
        .len_max = 2, .max = 360.0, .scale = 0.005493247882810712, .print = 5.493247882810712},
    [6] = {KEY(platform_pitch_angle), .kind = K_LINEAR_INT, .flags = F_ZERO, .decimals = 4, .len_min = 2, .len_max = 2,
        .min = -20.0, .max = 20.0, .scale = 0.0006103701895199438, .print = 6.103701895199438,
        .special = "\"out_of_range\""},
    [7] = {KEY(platform_roll_angle), .kind = K_LINEAR_INT, .flags = F_ZERO, .decimals = 3, .len_min = 2, .len_max = 2,
        .min = -50.0, .max = 50.0, .scale = 0.0015259254737998596, .print = 1.5259254737998595,
        .special = "\"out_of_range\""},
    [8] = {KEY(platform_true_airspeed), .kind = K_UINT, .flags = F_ZERO, .len_min = 1, .len_max = 1, .max = 255.0},
    [9] = {KEY(platform_indicated_airspeed), .kind = K_UINT, .flags = F_ZERO, .len_min = 1, .len_max = 1, .max = 255.0},
    [10] = {KEY(platform_designation), .kind = K_TEXT, .flags = F_ZERO, .len_max = 127},
    [11] = {KEY(image_source_sensor), .kind = K_TEXT, .flags = F_ZERO, .len_max = 127},
    [12] = {KEY(image_coordinate_system), .kind = K_TEXT, .flags = F_ZERO, .len_max = 127},
    [13] = {KEY(sensor_latitude), .kind = K_LINEAR_INT, .flags = F_ZERO, .decimals = 8, .place = PLACE_LATITUDE,
        .len_min = 4, .len_max = 4, .min = -90.0, .max = 90.0, .scale = 4.190951587721217e-08,
        .print = 4.190951587721218, .special = "\"reserved\""},
    [14] = {KEY(sensor_longitude), .kind = K_LINEAR_INT, .flags = F_ZERO, .decimals = 8, .place = PLACE_LONGITUDE,
        .len_min = 4, .len_max = 4, .min = -180.0, .max = 180.0, .scale = 8.381903175442434e-08,
        .print = 8.381903175442435, .special = "\"reserved\""},
    [15] = {KEY(sensor_true_altitude), .kind = K_LINEAR_UINT, .flags = F_ZERO, .decimals = 1, .len_min = 2,
        .len_max = 2, .min = -900.0, .max = 19000.0, .scale = 0.30365453574425877, .print = 3.036545357442588},
    [16] = {KEY(sensor_horizontal_field_of_view), .kind = K_LINEAR_UINT, .flags = F_ZERO, .decimals = 3, .len_min = 2,
        .len_max = 2, .max = 180.0, .scale = 0.002746623941405356, .print = 2.746623941405356},
    [17] = {KEY(sensor_vertical_field_of_view), .kind = K_LINEAR_UINT, .flags = F_ZERO, .decimals = 3, .len_min = 2,
        .len_max = 2, .max = 180.0, .scale = 0.002746623941405356, .print = 2.746623941405356},
    [18] = {KEY(sensor_relative_azimuth_angle), .kind = K_LINEAR_UINT, .flags = F_ZERO, .decimals = 8, .len_min = 4,
        .len_max = 4, .max = 360.0, .scale = 8.38190317349087e-08, .print = 8.38190317349087},
    [19] = {KEY(sensor_relative_elevation_angle), .kind = K_LINEAR_INT, .flags = F_ZERO, .decimals = 8, .len_min = 4,
        .len_max = 4, .min = -180.0, .max = 180.0, .scale = 8.381903175442434e-08, .print = 8.381903175442435,
        .special = "\"reserved\""},
    [20] = {KEY(sensor_relative_roll_angle), .kind = K_LINEAR_UINT, .flags = F_ZERO, .decimals = 8, .len_min = 4,
        .len_max = 4, .max = 360.0, .scale = 8.38190317349087e-08, .print = 8.38190317349087},
    [21] = {KEY(slant_range), .kind = K_LINEAR_UINT, .flags = F_ZERO, .decimals = 3, .len_min = 4, .len_max = 4,
        .max = 5000000.0, .scale = 0.0011641532185403987, .print = 1.1641532185403987},
    [22] = {KEY(target_width), .kind = K_LINEAR_UINT, .flags = F_ZERO, .decimals = 1, .len_min = 2, .len_max = 2,
        .max = 10000.0, .scale = 0.15259021896696423, .print = 1.525902189669642},
    [23] = {KEY(frame_center_latitude), .kind = K_LINEAR_INT, .flags = F_ZERO, .decimals = 8, .place = PLACE_LATITUDE,
        .len_min = 4, .len_max = 4, .min = -90.0, .max = 90.0, .scale = 4.190951587721217e-08,
        .print = 4.190951587721218, .special = "\"off_earth\""},
    [24] = {KEY(frame_center_longitude), .kind = K_LINEAR_INT, .flags = F_ZERO, .decimals = 8, .place = PLACE_LONGITUDE,
        .len_min = 4, .len_max = 4, .min = -180.0, .max = 180.0, .scale = 8.381903175442434e-08,
        .print = 8.381903175442435, .special = "\"off_earth\""},
    [25] = {KEY(frame_center_elevation), .kind = K_LINEAR_UINT, .flags = F_ZERO, .decimals = 1, .len_min = 2,
        .len_max = 2, .min = -900.0, .max = 19000.0, .scale = 0.30365453574425877, .print = 3.036545357442588},
    [26] = {KEY(offset_corner_latitude_point_1), .kind = K_LINEAR_INT, .flags = F_ZERO, .decimals = 6,
        .place = PLACE_INSIDE, .len_min = 2, .len_max = 2, .min = -0.075, .max = 0.075, .scale = 2.2888882106997894e-06,
        .print = 2.288888210699789, .special = "\"off_earth\""},
    [27] = {KEY(offset_corner_longitude_point_1), .kind = K_LINEAR_INT, .flags = F_ZERO, .decimals = 6,
        .place = PLACE_INSIDE, .len_min = 2, .len_max = 2, .min = -0.075, .max = 0.075, .scale = 2.2888882106997894e-06,
        .print = 2.288888210699789, .special = "\"off_earth\""},
    [28] = {KEY(offset_corner_latitude_point_2), .kind = K_LINEAR_INT, .flags = F_ZERO, .decimals = 6,
        .place = PLACE_INSIDE, .len_min = 2, .len_max = 2, .min = -0.075, .max = 0.075, .scale = 2.2888882106997894e-06,
        .print = 2.288888210699789, .special = "\"off_earth\""},
    [29] = {KEY(offset_corner_longitude_point_2), .kind = K_LINEAR_INT, .flags = F_ZERO, .decimals = 6,
        .place = PLACE_INSIDE, .len_min = 2, .len_max = 2, .min = -0.075, .max = 0.075, .scale = 2.2888882106997894e-06,
        .print = 2.288888210699789, .special = "\"off_earth\""},
    [30] = {KEY(offset_corner_latitude_point_3), .kind = K_LINEAR_INT, .flags = F_ZERO, .decimals = 6,
        .place = PLACE_INSIDE, .len_min = 2, .len_max = 2, .min = -0.075, .max = 0.075, .scale = 2.2888882106997894e-06,
        .print = 2.288888210699789, .special = "\"off_earth\""},
    [31] = {KEY(offset_corner_longitude_point_3), .kind = K_LINEAR_INT, .flags = F_ZERO, .decimals = 6,
        .place = PLACE_INSIDE, .len_min = 2, .len_max = 2, .min = -0.075, .max = 0.075, .scale = 2.2888882106997894e-06,
        .print = 2.288888210699789, .special = "\"off_earth\""},
    [32] = {KEY(offset_corner_latitude_point_4), .kind = K_LINEAR_INT, .flags = F_ZERO, .decimals = 6,
        .place = PLACE_INSIDE, .len_min = 2, .len_max = 2, .min = -0.075, .max = 0.075, .scale = 2.2888882106997894e-06,
        .print = 2.288888210699789, .special = "\"off_earth\""},
    [33] = {KEY(offset_corner_longitude_point_4), .kind = K_LINEAR_INT, .flags = F_ZERO, .decimals = 6,
        .place = PLACE_INSIDE, .len_min = 2, .len_max = 2, .min = -0.075, .max = 0.075, .scale = 2.2888882106997894e-06,
        .print = 2.288888210699789, .special = "\"off_earth\""},
    [34] = {KEY(icing_detected), .kind = K_ENUM, .flags = F_ZERO, .len_min = 1, .len_max = 1, .max = 2.0,
        .codes = codes_st0601_34_icing_detected, .code_count = 3},
    [35] = {KEY(wind_direction), .kind = K_LINEAR_UINT, .flags = F_ZERO, .decimals = 3, .len_min = 2, .len_max = 2,
        .max = 360.0, .scale = 0.005493247882810712, .print = 5.493247882810712},
    [36] = {KEY(wind_speed), .kind = K_LINEAR_UINT, .flags = F_ZERO, .decimals = 1, .len_min = 1, .len_max = 1,
        .max = 100.0, .scale = 0.39215686274509803, .print = 3.9215686274509802},
    [37] = {KEY(static_pressure), .kind = K_LINEAR_UINT, .flags = F_ZERO, .decimals = 2, .len_min = 2, .len_max = 2,
        .max = 5000.0, .scale = 0.07629510948348212, .print = 7.629510948348211},
    [38] = {KEY(density_altitude), .kind = K_LINEAR_UINT, .flags = F_ZERO, .decimals = 1, .len_min = 2, .len_max = 2,
        .min = -900.0, .max = 19000.0, .scale = 0.30365453574425877, .print = 3.036545357442588},
    [39] = {KEY(outside_air_temperature), .kind = K_INT, .flags = F_ZERO, .len_min = 1, .len_max = 1, .min = -128.0,
        .max = 127.0},
    [40] = {KEY(target_location_latitude), .kind = K_LINEAR_INT, .flags = F_ZERO, .decimals = 8,
        .place = PLACE_LATITUDE, .len_min = 4, .len_max = 4, .min = -90.0, .max = 90.0, .scale = 4.190951587721217e-08,
        .print = 4.190951587721218, .special = "\"off_earth\""},
    [41] = {KEY(target_location_longitude), .kind = K_LINEAR_INT, .flags = F_ZERO, .decimals = 8,
        .place = PLACE_LONGITUDE, .len_min = 4, .len_max = 4, .min = -180.0, .max = 180.0,
        .scale = 8.381903175442434e-08, .print = 8.381903175442435, .special = "\"off_earth\""},
    [42] = {KEY(target_location_elevation), .kind = K_LINEAR_UINT, .flags = F_ZERO, .decimals = 1, .len_min = 2,
        .len_max = 2, .min = -900.0, .max = 19000.0, .scale = 0.30365453574425877, .print = 3.036545357442588},
    [43] = {KEY(target_track_gate_width), .kind = K_LINEAR_UINT, .flags = F_ZERO, .len_min = 1, .len_max = 1,
        .max = 510.0, .scale = 2.0, .print = 2.0},
    [44] = {KEY(target_track_gate_height), .kind = K_LINEAR_UINT, .flags = F_ZERO, .len_min = 1, .len_max = 1,
        .max = 510.0, .scale = 2.0, .print = 2.0},
    [45] = {KEY(target_error_estimate_ce90), .kind = K_LINEAR_UINT, .flags = F_ZERO, .decimals = 2, .len_min = 2,
        .len_max = 2, .max = 4095.0, .scale = 0.06248569466697185, .print = 6.248569466697185},
    [46] = {KEY(target_error_estimate_le90), .kind = K_LINEAR_UINT, .flags = F_ZERO, .decimals = 2, .len_min = 2,
        .len_max = 2, .max = 4095.0, .scale = 0.06248569466697185, .print = 6.248569466697185},
    [47] = {KEY(generic_flag_data), .kind = K_BITS, .flags = F_ZERO, .len_min = 1, .len_max = 1, .max = 63.0,
        .bits = bits_st0601_47, .code_count = 6},
    [48] = {KEY(security_local_set), .kind = K_SET, .flags = F_ZERO, .set = &set_st0102},
    [49] = {KEY(differential_pressure), .kind = K_LINEAR_UINT, .flags = F_ZERO, .decimals = 2, .len_min = 2,
        .len_max = 2, .max = 5000.0, .scale = 0.07629510948348212, .print = 7.629510948348211},
    [50] = {KEY(platform_angle_of_attack), .kind = K_LINEAR_INT, .flags = F_ZERO, .decimals = 4, .len_min = 2,
        .len_max = 2, .min = -20.0, .max = 20.0, .scale = 0.0006103701895199438, .print = 6.103701895199438,
        .special = "\"out_of_range\""},
    [51] = {KEY(platform_vertical_speed), .kind = K_LINEAR_INT, .flags = F_ZERO, .decimals = 3, .len_min = 2,
        .len_max = 2, .min = -180.0, .max = 180.0, .scale = 0.005493331705679495, .print = 5.493331705679495,
        .special = "\"out_of_range\""},
    [52] = {KEY(platform_sideslip_angle), .kind = K_LINEAR_INT, .flags = F_ZERO, .decimals = 4, .len_min = 2,
        .len_max = 2, .min = -20.0, .max = 20.0, .scale = 0.0006103701895199438, .print = 6.103701895199438,
        .special = "\"out_of_range\""},
    [53] = {KEY(airfield_barometric_pressure), .kind = K_LINEAR_UINT, .flags = F_ZERO, .decimals = 2, .len_min = 2,
        .len_max = 2, .max = 5000.0, .scale = 0.07629510948348212, .print = 7.629510948348211},
    [54] = {KEY(airfield_elevation), .kind = K_LINEAR_UINT, .flags = F_ZERO, .decimals = 1, .len_min = 2, .len_max = 2,
        .min = -900.0, .max = 19000.0, .scale = 0.30365453574425877, .print = 3.036545357442588},
    [55] = {KEY(relative_humidity), .kind = K_LINEAR_UINT, .flags = F_ZERO, .decimals = 1, .len_min = 1, .len_max = 1,
        .max = 100.0, .scale = 0.39215686274509803, .print = 3.9215686274509802},
    [56] = {KEY(platform_ground_speed), .kind = K_UINT, .flags = F_ZERO, .len_min = 1, .len_max = 1, .max = 255.0},
    [57] = {KEY(ground_range), .kind = K_LINEAR_UINT, .flags = F_ZERO, .decimals = 3, .len_min = 4, .len_max = 4,
        .max = 5000000.0, .scale = 0.0011641532185403987, .print = 1.1641532185403987},
    [58] = {KEY(platform_fuel_remaining), .kind = K_LINEAR_UINT, .flags = F_ZERO, .decimals = 1, .len_min = 2,
        .len_max = 2, .max = 10000.0, .scale = 0.15259021896696423, .print = 1.525902189669642},
    [59] = {KEY(platform_call_sign), .kind = K_TEXT, .flags = F_ZERO, .len_max = 127},
    [60] = {KEY(weapon_load), .kind = K_UINT, .flags = F_ZERO, .len_min = 2, .len_max = 2, .max = 65535.0},
    [61] = {KEY(weapon_fired), .kind = K_UINT, .flags = F_ZERO, .len_min = 1, .len_max = 1, .max = 255.0},
    [62] = {KEY(laser_prf_code), .kind = K_UINT, .flags = F_ZERO, .len_min = 2, .len_max = 2, .min = 111.0,
        .max = 8888.0},
    [63] = {KEY(sensor_field_of_view_name), .kind = K_ENUM, .flags = F_ZERO, .len_min = 1, .len_max = 1, .max = 8.0,
        .codes = codes_st0601_63_sensor_field_of_view_name, .code_count = 9},
    [64] = {KEY(platform_magnetic_heading), .kind = K_LINEAR_UINT, .flags = F_ZERO, .decimals = 3, .len_min = 2,
        .len_max = 2, .max = 360.0, .scale = 0.005493247882810712, .print = 5.493247882810712},
    [65] = {KEY(uas_datalink_ls_version_number), .kind = K_UINT, .len_min = 1, .len_max = 1, .max = 255.0},
    [66] = {KEY(deprecated_66), .kind = K_BYTES, .flags = F_ZERO, .place = PLACE_INSIDE},
    [67] = {KEY(alternate_platform_latitude), .kind = K_LINEAR_INT, .flags = F_ZERO, .decimals = 8,
        .place = PLACE_LATITUDE, .len_min = 4, .len_max = 4, .min = -90.0, .max = 90.0, .scale = 4.190951587721217e-08,
        .print = 4.190951587721218, .special = "\"reserved\""},
    [68] = {KEY(alternate_platform_longitude), .kind = K_LINEAR_INT, .flags = F_ZERO, .decimals = 8,
        .place = PLACE_LONGITUDE, .len_min = 4, .len_max = 4, .min = -180.0, .max = 180.0,
        .scale = 8.381903175442434e-08, .print = 8.381903175442435, .special = "\"reserved\""},
    [69] = {KEY(alternate_platform_altitude), .kind = K_LINEAR_UINT, .flags = F_ZERO, .decimals = 1, .len_min = 2,
        .len_max = 2, .min = -900.0, .max = 19000.0, .scale = 0.30365453574425877, .print = 3.036545357442588},
    [70] = {KEY(alternate_platform_name), .kind = K_TEXT, .flags = F_ZERO, .len_max = 127},
    [71] = {KEY(alternate_platform_heading), .kind = K_LINEAR_UINT, .flags = F_ZERO, .decimals = 3, .len_min = 2,
        .len_max = 2, .max = 360.0, .scale = 0.005493247882810712, .print = 5.493247882810712},
    [72] = {KEY(event_start_time), .kind = K_UINT, .flags = F_ZERO, .len_min = 8, .len_max = 8,
        .max = 1.8446744073709552e+19},
    [73] = {KEY(rvt_local_set), .kind = K_SET, .flags = F_ZERO, .place = PLACE_INSIDE, .set = &set_st0806},
    [74] = {KEY(vmti_local_set), .kind = K_SET, .flags = F_ZERO, .place = PLACE_INSIDE, .set = &set_st0903},
    [75] = {KEY(sensor_ellipsoid_height), .kind = K_LINEAR_UINT, .flags = F_ZERO, .decimals = 1, .len_min = 2,
        .len_max = 2, .min = -900.0, .max = 19000.0, .scale = 0.30365453574425877, .print = 3.036545357442588},
    [76] = {KEY(alternate_platform_ellipsoid_height), .kind = K_LINEAR_UINT, .flags = F_ZERO, .decimals = 1,
        .len_min = 2, .len_max = 2, .min = -900.0, .max = 19000.0, .scale = 0.30365453574425877,
        .print = 3.036545357442588},
    [77] = {KEY(operational_mode), .kind = K_ENUM, .flags = F_ZERO, .len_min = 1, .len_max = 1, .max = 5.0,
        .codes = codes_st0601_77_operational_mode, .code_count = 6},
    [78] = {KEY(frame_center_height_above_ellipsoid), .kind = K_LINEAR_UINT, .flags = F_ZERO, .decimals = 1,
        .len_min = 2, .len_max = 2, .min = -900.0, .max = 19000.0, .scale = 0.30365453574425877,
        .print = 3.036545357442588},
    [79] = {KEY(sensor_north_velocity), .kind = K_LINEAR_INT, .flags = F_ZERO, .decimals = 3, .len_min = 2,
        .len_max = 2, .min = -327.0, .max = 327.0, .scale = 0.009979552598651083, .print = 9.979552598651082,
        .special = "\"out_of_range\""},
    [80] = {KEY(sensor_east_velocity), .kind = K_LINEAR_INT, .flags = F_ZERO, .decimals = 3, .len_min = 2, .len_max = 2,
        .min = -327.0, .max = 327.0, .scale = 0.009979552598651083, .print = 9.979552598651082,
        .special = "\"out_of_range\""},
    [81] = {KEY(image_horizon_pixel_pack), .kind = K_PACK, .flags = F_ZERO, .place = PLACE_INSIDE, .len_min = 4,
        .len_max = 20, .pack = &pack_imagehorizon},
    [82] = {KEY(corner_latitude_point_1_full), .kind = K_LINEAR_INT, .flags = F_ZERO, .decimals = 8,
        .place = PLACE_LATITUDE, .len_min = 4, .len_max = 4, .min = -90.0, .max = 90.0, .scale = 4.190951587721217e-08,
        .print = 4.190951587721218, .special = "\"off_earth\""},
    [83] = {KEY(corner_longitude_point_1_full), .kind = K_LINEAR_INT, .flags = F_ZERO, .decimals = 8,
        .place = PLACE_LONGITUDE, .len_min = 4, .len_max = 4, .min = -180.0, .max = 180.0,
        .scale = 8.381903175442434e-08, .print = 8.381903175442435, .special = "\"off_earth\""},
    [84] = {KEY(corner_latitude_point_2_full), .kind = K_LINEAR_INT, .flags = F_ZERO, .decimals = 8,
        .place = PLACE_LATITUDE, .len_min = 4, .len_max = 4, .min = -90.0, .max = 90.0, .scale = 4.190951587721217e-08,
        .print = 4.190951587721218, .special = "\"off_earth\""},
    [85] = {KEY(corner_longitude_point_2_full), .kind = K_LINEAR_INT, .flags = F_ZERO, .decimals = 8,
        .place = PLACE_LONGITUDE, .len_min = 4, .len_max = 4, .min = -180.0, .max = 180.0,
        .scale = 8.381903175442434e-08, .print = 8.381903175442435, .special = "\"off_earth\""},
    [86] = {KEY(corner_latitude_point_3_full), .kind = K_LINEAR_INT, .flags = F_ZERO, .decimals = 8,
        .place = PLACE_LATITUDE, .len_min = 4, .len_max = 4, .min = -90.0, .max = 90.0, .scale = 4.190951587721217e-08,
        .print = 4.190951587721218, .special = "\"off_earth\""},
    [87] = {KEY(corner_longitude_point_3_full), .kind = K_LINEAR_INT, .flags = F_ZERO, .decimals = 8,
        .place = PLACE_LONGITUDE, .len_min = 4, .len_max = 4, .min = -180.0, .max = 180.0,
        .scale = 8.381903175442434e-08, .print = 8.381903175442435, .special = "\"off_earth\""},
    [88] = {KEY(corner_latitude_point_4_full), .kind = K_LINEAR_INT, .flags = F_ZERO, .decimals = 8,
        .place = PLACE_LATITUDE, .len_min = 4, .len_max = 4, .min = -90.0, .max = 90.0, .scale = 4.190951587721217e-08,
        .print = 4.190951587721218, .special = "\"off_earth\""},
    [89] = {KEY(corner_longitude_point_4_full), .kind = K_LINEAR_INT, .flags = F_ZERO, .decimals = 8,
        .place = PLACE_LONGITUDE, .len_min = 4, .len_max = 4, .min = -180.0, .max = 180.0,
        .scale = 8.381903175442434e-08, .print = 8.381903175442435, .special = "\"off_earth\""},
    [90] = {KEY(platform_pitch_angle_full), .kind = K_LINEAR_INT, .flags = F_ZERO, .decimals = 8, .len_min = 4,
        .len_max = 4, .min = -90.0, .max = 90.0, .scale = 4.190951587721217e-08, .print = 4.190951587721218,
        .special = "\"out_of_range\""},
    [91] = {KEY(platform_roll_angle_full), .kind = K_LINEAR_INT, .flags = F_ZERO, .decimals = 8, .len_min = 4,
        .len_max = 4, .min = -90.0, .max = 90.0, .scale = 4.190951587721217e-08, .print = 4.190951587721218,
        .special = "\"out_of_range\""},
    [92] = {KEY(platform_angle_of_attack_full), .kind = K_LINEAR_INT, .flags = F_ZERO, .decimals = 8, .len_min = 4,
        .len_max = 4, .min = -90.0, .max = 90.0, .scale = 4.190951587721217e-08, .print = 4.190951587721218,
        .special = "\"out_of_range\""},
    [93] = {KEY(platform_sideslip_angle_full), .kind = K_LINEAR_INT, .flags = F_ZERO, .decimals = 8, .len_min = 4,
        .len_max = 4, .min = -180.0, .max = 180.0, .scale = 8.381903175442434e-08, .print = 8.381903175442435,
        .special = "\"out_of_range\""},
    [94] = {KEY(miis_core_identifier), .kind = K_MIIS, .flags = F_ZERO, .len_min = 18, .len_max = 50},
    [95] = {KEY(sar_motion_imagery_local_set), .kind = K_SET, .flags = F_ZERO, .place = PLACE_INSIDE,
        .set = &set_st1206},
    [96] = {KEY(target_width_extended), .kind = K_IMAPB, .flags = F_ZERO, .range_power = 21, .len_min = 1, .len_max = 8,
        .max = 1500000.0},
    [97] = {KEY(range_image_local_set), .kind = K_SET, .flags = F_ZERO, .place = PLACE_INSIDE, .set = &set_st1002},
    [98] = {KEY(geo_registration_local_set), .kind = K_SET, .flags = F_ZERO, .place = PLACE_INSIDE, .set = &set_st1601},
    [99] = {KEY(composite_imaging_local_set), .kind = K_SET, .flags = F_ZERO, .place = PLACE_INSIDE,
        .set = &set_st1602},
    [100] = {KEY(segment_local_set), .kind = K_SET, .flags = F_REPEATS, .place = PLACE_INSIDE, .set = &set_st0601},
    [101] = {KEY(amend_local_set), .kind = K_SET, .flags = F_REPEATS | F_AMEND, .place = PLACE_INSIDE,
        .set = &set_st0601},
    [102] = {KEY(sdcc_flp), .kind = K_SDCC, .flags = F_REPEATS, .len_min = 2},
    [103] = {KEY(density_altitude_extended), .kind = K_IMAPB, .flags = F_ZERO, .range_power = 16, .len_min = 1,
        .len_max = 8, .min = -900.0, .max = 40000.0},
    [104] = {KEY(sensor_ellipsoid_height_extended), .kind = K_IMAPB, .flags = F_ZERO, .range_power = 16, .len_min = 1,
        .len_max = 8, .min = -900.0, .max = 40000.0},
    [105] = {KEY(alternate_platform_ellipsoid_height_extended), .kind = K_IMAPB, .flags = F_ZERO, .range_power = 16,
        .len_min = 1, .len_max = 8, .min = -900.0, .max = 40000.0},
    [106] = {KEY(stream_designator), .kind = K_TEXT, .flags = F_ZERO, .len_max = 127},
    [107] = {KEY(operational_base), .kind = K_TEXT, .flags = F_ZERO, .len_max = 127},
    [108] = {KEY(broadcast_source), .kind = K_TEXT, .flags = F_ZERO, .len_max = 127},
    [109] = {KEY(range_to_recovery_location), .kind = K_IMAPB, .flags = F_ZERO, .range_power = 15, .len_min = 1,
        .len_max = 4, .max = 21000.0},
    [110] = {KEY(time_airborne), .kind = K_UINT, .flags = F_ZERO, .len_min = 1, .len_max = 4, .max = 4294967295.0},
    [111] = {KEY(propulsion_unit_speed), .kind = K_UINT, .flags = F_ZERO, .len_min = 1, .len_max = 4,
        .max = 4294967295.0},
    [112] = {KEY(platform_course_angle), .kind = K_IMAPB, .flags = F_ZERO, .range_power = 9, .len_min = 1, .len_max = 8,
        .max = 360.0},
    [113] = {KEY(altitude_agl), .kind = K_IMAPB, .flags = F_ZERO, .range_power = 16, .len_min = 1, .len_max = 4,
        .min = -900.0, .max = 40000.0},
    [114] = {KEY(radar_altimeter), .kind = K_IMAPB, .flags = F_ZERO, .range_power = 16, .len_min = 1, .len_max = 4,
        .min = -900.0, .max = 40000.0},
    [115] = {KEY(control_command), .kind = K_PACK, .flags = F_REPEATS, .len_min = 2, .pack = &pack_controlcommand},
    [116] = {KEY(control_command_verification_list), .kind = K_PACK_LIST, .flags = F_ZERO, .len_min = 1,
        .pack = &pack_commandverification},
    [117] = {KEY(sensor_azimuth_rate), .kind = K_IMAPB, .flags = F_ZERO, .range_power = 11, .len_min = 1, .len_max = 4,
        .min = -1000.0, .max = 1000.0},
    [118] = {KEY(sensor_elevation_rate), .kind = K_IMAPB, .flags = F_ZERO, .range_power = 11, .len_min = 1,
        .len_max = 4, .min = -1000.0, .max = 1000.0},
    [119] = {KEY(sensor_roll_rate), .kind = K_IMAPB, .flags = F_ZERO, .range_power = 11, .len_min = 1, .len_max = 4,
        .min = -1000.0, .max = 1000.0},
    [120] = {KEY(on_board_mi_storage_percent_full), .kind = K_IMAPB, .flags = F_ZERO, .range_power = 7, .len_min = 1,
        .len_max = 3, .max = 100.0},
    [121] = {KEY(active_wavelength_list), .kind = K_PACK_LIST, .flags = F_ZERO, .len_min = 1,
        .pack = &pack_activewavelengths},
    [122] = {KEY(country_codes), .kind = K_PACK, .flags = F_ZERO, .len_min = 2, .pack = &pack_countrycodes},
    [123] = {KEY(number_of_navsats_in_view), .kind = K_UINT, .flags = F_ZERO, .len_min = 1, .len_max = 1, .max = 255.0},
    [124] = {KEY(positioning_method_source), .kind = K_BITS, .flags = F_ZERO, .len_min = 1, .len_max = 1, .min = 1.0,
        .max = 255.0, .bits = bits_st0601_124, .code_count = 8},
    [125] = {KEY(platform_status), .kind = K_ENUM, .flags = F_ZERO, .len_min = 1, .len_max = 1, .max = 12.0,
        .codes = codes_st0601_125_platform_status, .code_count = 13},
    [126] = {KEY(sensor_control_mode), .kind = K_ENUM, .flags = F_ZERO, .len_min = 1, .len_max = 1, .max = 6.0,
        .codes = codes_st0601_126_sensor_control_mode, .code_count = 7},
    [127] = {KEY(sensor_frame_rate_pack), .kind = K_PACK, .flags = F_ZERO, .len_min = 1, .len_max = 16,
        .pack = &pack_framerate},
    [128] = {KEY(wavelengths_list), .kind = K_PACK, .flags = F_ZERO, .len_min = 2, .pack = &pack_wavelengthrecord},
    [129] = {KEY(target_id), .kind = K_TEXT, .flags = F_ZERO, .len_max = 32},
    [130] = {KEY(airbase_locations), .kind = K_PACK, .flags = F_ZERO, .place = PLACE_INSIDE, .len_min = 1,
        .len_max = 24, .pack = &pack_airbaselocations},
    [131] = {KEY(take_off_time), .kind = K_UINT, .flags = F_ZERO, .len_min = 1, .len_max = 8,
        .max = 1.8446744073709552e+19},
    [132] = {KEY(transmission_frequency), .kind = K_IMAPB, .flags = F_ZERO, .range_power = 17, .len_min = 1,
        .len_max = 4, .min = 1.0, .max = 99999.0},
    [133] = {KEY(on_board_mi_storage_capacity), .kind = K_UINT, .flags = F_ZERO, .len_min = 1, .len_max = 4,
        .max = 4294967295.0},
    [134] = {KEY(zoom_percentage), .kind = K_IMAPB, .flags = F_ZERO, .range_power = 7, .len_min = 1, .len_max = 4,
        .max = 100.0},
    [135] = {KEY(communications_method), .kind = K_TEXT, .flags = F_ZERO, .len_max = 127},
    [136] = {KEY(leap_seconds), .kind = K_INT, .flags = F_ZERO, .len_min = 1, .len_max = 4, .min = -2147483648.0,
        .max = 2147483647.0},
    [137] = {KEY(correction_offset), .kind = K_INT, .flags = F_ZERO, .len_min = 1, .len_max = 8,
        .min = -9.223372036854776e+18, .max = 9.223372036854776e+18},
    [138] = {KEY(payload_list), .kind = K_PACK, .flags = F_ZERO, .len_min = 1, .pack = &pack_payloadrecord},
    [139] = {KEY(active_payloads), .kind = K_BIT_LIST, .flags = F_ZERO, .len_min = 1},
    [140] = {KEY(weapons_stores), .kind = K_PACK, .flags = F_ZERO, .len_min = 2, .pack = &pack_weaponrecord},
    [141] = {KEY(waypoint_list), .kind = K_PACK, .flags = F_ZERO, .place = PLACE_INSIDE, .len_min = 2,
        .pack = &pack_waypointrecord},
    [142] = {KEY(view_domain), .kind = K_PACK, .flags = F_ZERO, .len_min = 1, .pack = &pack_viewdomain},
    [143] = {KEY(metadata_substream_id), .kind = K_PACK, .len_min = 1, .len_max = 17,
        .pack = &pack_metadatasubstreamid},
};
static const struct code codes_st0102_1_security_classification[] = {
    {.code = 1, .label = "\"Unclassified\""},
    {.code = 2, .label = "\"Restricted\""},
    {.code = 3, .label = "\"Confidential\""},
    {.code = 4, .label = "\"Secret\""},
    {.code = 5, .label = "\"Top Secret\""},
};
static const char key_security_classification[KEY_PADDED] = "\"security_classification\":";
static const struct code codes_st0102_2_country_coding_method[] = {
    {.code = 1, .label = "\"ISO-3166 Two Letter\""},
    {.code = 2, .label = "\"ISO-3166 Three Letter\""},
    {.code = 3, .label = "\"FIPS 10-4 Two Letter\""},
    {.code = 4, .label = "\"FIPS 10-4 Four Letter\""},
    {.code = 5, .label = "\"ISO-3166 Numeric\""},
    {.code = 6, .label = "\"1059 Two Letter\""},
    {.code = 7, .label = "\"1059 Three Letter\""},
    {.code = 8, .label = "\"Omitted Value\""},
    {.code = 9, .label = "\"Omitted Value\""},
    {.code = 10, .label = "\"FIPS 10-4 Mixed\""},
    {.code = 11, .label = "\"ISO 3166 Mixed\""},
    {.code = 12, .label = "\"STANAG 1059 Mixed\""},
    {.code = 13, .label = "\"GENC Two Letter\""},
    {.code = 14, .label = "\"GENC Three Letter\""},
    {.code = 15, .label = "\"GENC Numeric\""},
    {.code = 16, .label = "\"GENC Mixed\""},
};
static const char key_country_coding_method[KEY_PADDED] = "\"country_coding_method\":";
static const char key_classifying_country[KEY_PADDED] = "\"classifying_country\":";
static const char key_sci_shi_information[KEY_PADDED] = "\"sci_shi_information\":";
static const char key_caveats[KEY_PADDED] = "\"caveats\":";
static const char key_releasing_instructions[KEY_PADDED] = "\"releasing_instructions\":";
static const char key_classified_by[KEY_PADDED] = "\"classified_by\":";
static const char key_derived_from[KEY_PADDED] = "\"derived_from\":";
static const char key_classification_reason[KEY_PADDED] = "\"classification_reason\":";
static const char key_declassification_date[KEY_PADDED] = "\"declassification_date\":";
static const char key_classification_and_marking_system[KEY_PADDED] = "\"classification_and_marking_system\":";
static const struct code codes_st0102_12_object_country_coding_method[] = {
    {.code = 1, .label = "\"ISO-3166 Two Letter\""},
    {.code = 2, .label = "\"ISO-3166 Three Letter\""},
    {.code = 3, .label = "\"ISO-3166 Numeric\""},
    {.code = 4, .label = "\"FIPS 10-4 Two Letter\""},
    {.code = 5, .label = "\"FIPS 10-4 Four Letter\""},
    {.code = 6, .label = "\"1059 Two Letter\""},
    {.code = 7, .label = "\"1059 Three Letter\""},
    {.code = 8, .label = "\"Omitted Value\""},
    {.code = 9, .label = "\"Omitted Value\""},
    {.code = 10, .label = "\"Omitted Value\""},
    {.code = 11, .label = "\"Omitted Value\""},
    {.code = 12, .label = "\"Omitted Value\""},
    {.code = 13, .label = "\"GENC Two Letter\""},
    {.code = 14, .label = "\"GENC Three Letter\""},
    {.code = 15, .label = "\"GENC Numeric\""},
    {.code = 64, .label = "\"GENC AdminSub\""},
};
static const char key_object_country_coding_method[KEY_PADDED] = "\"object_country_coding_method\":";
static const char key_object_country_codes[KEY_PADDED] = "\"object_country_codes\":";
static const char key_classification_comments[KEY_PADDED] = "\"classification_comments\":";
static const char key_umid_video[KEY_PADDED] = "\"umid_video\":";
static const char key_umid_audio[KEY_PADDED] = "\"umid_audio\":";
static const char key_umid_data[KEY_PADDED] = "\"umid_data\":";
static const char key_umid_system[KEY_PADDED] = "\"umid_system\":";
static const char key_stream_id[KEY_PADDED] = "\"stream_id\":";
static const char key_transport_stream_id[KEY_PADDED] = "\"transport_stream_id\":";
static const char key_item_designator_id[KEY_PADDED] = "\"item_designator_id\":";
static const char key_version[KEY_PADDED] = "\"version\":";
static const char key_country_coding_method_version_date[KEY_PADDED] = "\"country_coding_method_version_date\":";
static const char key_object_country_coding_method_version_date[KEY_PADDED] =
    "\"object_country_coding_method_version_date\":";
static const struct item items_st0102[25] = {
    [1] = {KEY(security_classification), .kind = K_ENUM, .flags = F_ZERO, .len_min = 1, .len_max = 1, .min = 1.0,
        .max = 5.0, .codes = codes_st0102_1_security_classification, .code_count = 5},
    [2] = {KEY(country_coding_method), .kind = K_ENUM, .flags = F_ZERO, .len_min = 1, .len_max = 1, .min = 1.0,
        .max = 16.0, .codes = codes_st0102_2_country_coding_method, .code_count = 16},
    [3] = {KEY(classifying_country), .kind = K_TEXT, .flags = F_ZERO},
    [4] = {KEY(sci_shi_information), .kind = K_TEXT, .flags = F_ZERO},
    [5] = {KEY(caveats), .kind = K_TEXT, .flags = F_ZERO},
    [6] = {KEY(releasing_instructions), .kind = K_TEXT, .flags = F_ZERO},
    [7] = {KEY(classified_by), .kind = K_TEXT, .flags = F_ZERO},
    [8] = {KEY(derived_from), .kind = K_TEXT, .flags = F_ZERO},
    [9] = {KEY(classification_reason), .kind = K_TEXT, .flags = F_ZERO},
    [10] = {KEY(declassification_date), .kind = K_TEXT, .flags = F_ZERO, .len_min = 8, .len_max = 8},
    [11] = {KEY(classification_and_marking_system), .kind = K_TEXT, .flags = F_ZERO},
    [12] = {KEY(object_country_coding_method), .kind = K_ENUM, .flags = F_ZERO, .len_min = 1, .len_max = 1, .min = 1.0,
        .max = 64.0, .codes = codes_st0102_12_object_country_coding_method, .code_count = 16},
    [13] = {KEY(object_country_codes), .kind = K_UTF16, .flags = F_ZERO},
    [14] = {KEY(classification_comments), .kind = K_TEXT, .flags = F_ZERO},
    [15] = {KEY(umid_video), .kind = K_BYTES, .flags = F_ZERO, .place = PLACE_INSIDE, .len_min = 32, .len_max = 32},
    [16] = {KEY(umid_audio), .kind = K_BYTES, .flags = F_ZERO, .place = PLACE_INSIDE, .len_min = 32, .len_max = 32},
    [17] = {KEY(umid_data), .kind = K_BYTES, .flags = F_ZERO, .place = PLACE_INSIDE, .len_min = 32, .len_max = 32},
    [18] = {KEY(umid_system), .kind = K_BYTES, .flags = F_ZERO, .place = PLACE_INSIDE, .len_min = 32, .len_max = 32},
    [19] = {KEY(stream_id), .kind = K_UINT, .flags = F_ZERO, .len_min = 1, .len_max = 1, .max = 255.0},
    [20] = {KEY(transport_stream_id), .kind = K_UINT, .flags = F_ZERO, .len_min = 2, .len_max = 2, .max = 65535.0},
    [21] = {KEY(item_designator_id), .kind = K_BYTES, .flags = F_ZERO, .place = PLACE_INSIDE, .len_min = 16,
        .len_max = 16},
    [22] = {KEY(version), .kind = K_UINT, .flags = F_ZERO, .len_min = 2, .len_max = 2, .max = 65535.0},
    [23] = {KEY(country_coding_method_version_date), .kind = K_TEXT, .flags = F_ZERO, .len_min = 10, .len_max = 10},
    [24] = {KEY(object_country_coding_method_version_date), .kind = K_TEXT, .flags = F_ZERO, .len_min = 10,
        .len_max = 10},
};
static const char key_vmti_system_name[KEY_PADDED] = "\"vmti_system_name\":";
static const char key_vmti_ls_version[KEY_PADDED] = "\"vmti_ls_version\":";
static const char key_total_num_targets_detected[KEY_PADDED] = "\"total_num_targets_detected\":";
static const char key_num_targets_reported[KEY_PADDED] = "\"num_targets_reported\":";
static const char key_frame_number[KEY_PADDED] = "\"frame_number\":";
static const char key_frame_width[KEY_PADDED] = "\"frame_width\":";
static const char key_frame_height[KEY_PADDED] = "\"frame_height\":";
static const char key_vmti_source_sensor[KEY_PADDED] = "\"vmti_source_sensor\":";
static const char key_vmti_horizontal_fov[KEY_PADDED] = "\"vmti_horizontal_fov\":";
static const char key_vmti_vertical_fov[KEY_PADDED] = "\"vmti_vertical_fov\":";
static const char key_miis_id[KEY_PADDED] = "\"miis_id\":";
static const char key_vtarget_series[KEY_PADDED] = "\"vtarget_series\":";
static const char key_algorithm_series[KEY_PADDED] = "\"algorithm_series\":";
static const char key_ontology_series[KEY_PADDED] = "\"ontology_series\":";
static const struct item items_st0903[104] = {
    [1] = {KEY(checksum), .kind = K_UINT, .len_min = 2, .len_max = 2, .max = 65535.0},
    [2] = {KEY(precision_time_stamp), .kind = K_UINT, .flags = F_ZERO, .len_min = 8, .len_max = 8,
        .max = 1.8446744073709552e+19},
    [3] = {KEY(vmti_system_name), .kind = K_TEXT, .flags = F_ZERO, .len_min = 1, .len_max = 128},
    [4] = {KEY(vmti_ls_version), .kind = K_UINT, .flags = F_ZERO, .len_min = 1, .len_max = 2, .min = 1.0,
        .max = 65535.0},
    [5] = {KEY(total_num_targets_detected), .kind = K_UINT, .flags = F_ZERO, .len_min = 1, .len_max = 3,
        .max = 16777215.0},
    [6] = {KEY(num_targets_reported), .kind = K_UINT, .flags = F_ZERO, .len_min = 1, .len_max = 3, .max = 16777215.0},
    [7] = {KEY(frame_number), .kind = K_UINT, .flags = F_ZERO, .len_min = 1, .len_max = 3, .max = 16777215.0},
    [8] = {KEY(frame_width), .kind = K_UINT, .flags = F_ZERO, .len_min = 1, .len_max = 3, .min = 1.0,
        .max = 16777215.0},
    [9] = {KEY(frame_height), .kind = K_UINT, .flags = F_ZERO, .len_min = 1, .len_max = 3, .min = 1.0,
        .max = 16777215.0},
    [10] = {KEY(vmti_source_sensor), .kind = K_TEXT, .flags = F_ZERO, .len_min = 1, .len_max = 512},
    [11] = {KEY(vmti_horizontal_fov), .kind = K_IMAPB, .flags = F_ZERO, .old = OLD_LINEAR_UINT, .range_power = 8,
        .len_min = 2, .len_max = 2, .max = 180.0},
    [12] = {KEY(vmti_vertical_fov), .kind = K_IMAPB, .flags = F_ZERO, .old = OLD_LINEAR_UINT, .range_power = 8,
        .len_min = 2, .len_max = 2, .max = 180.0},
    [13] = {KEY(miis_id), .kind = K_MIIS, .flags = F_ZERO, .len_min = 18, .len_max = 66},
    [101] = {KEY(vtarget_series), .kind = K_TARGETS, .flags = F_ZERO, .place = PLACE_INSIDE, .set = &set_vtarget},
    [102] = {KEY(algorithm_series), .kind = K_SERIES, .flags = F_ZERO, .place = PLACE_INSIDE, .set = &set_algorithm},
    [103] = {KEY(ontology_series), .kind = K_SERIES, .flags = F_ZERO, .place = PLACE_INSIDE, .set = &set_ontology},
};
static const char key_target_centroid[KEY_PADDED] = "\"target_centroid\":";
static const char key_bounding_box_top_left[KEY_PADDED] = "\"bounding_box_top_left\":";
static const char key_bounding_box_bottom_right[KEY_PADDED] = "\"bounding_box_bottom_right\":";
static const char key_target_priority[KEY_PADDED] = "\"target_priority\":";
static const char key_target_confidence_level[KEY_PADDED] = "\"target_confidence_level\":";
static const char key_target_history[KEY_PADDED] = "\"target_history\":";
static const char key_percentage_of_target_pixels[KEY_PADDED] = "\"percentage_of_target_pixels\":";
static const char key_target_color[KEY_PADDED] = "\"target_color\":";
static const char key_target_intensity[KEY_PADDED] = "\"target_intensity\":";
static const char key_target_location_offset_lat[KEY_PADDED] = "\"target_location_offset_lat\":";
static const char key_target_location_offset_lon[KEY_PADDED] = "\"target_location_offset_lon\":";
static const char key_target_hae[KEY_PADDED] = "\"target_hae\":";
static const char key_bounding_box_top_left_lat_offset[KEY_PADDED] = "\"bounding_box_top_left_lat_offset\":";
static const char key_bounding_box_top_left_lon_offset[KEY_PADDED] = "\"bounding_box_top_left_lon_offset\":";
static const char key_bounding_box_bottom_right_lat_offset[KEY_PADDED] = "\"bounding_box_bottom_right_lat_offset\":";
static const char key_bounding_box_bottom_right_lon_offset[KEY_PADDED] = "\"bounding_box_bottom_right_lon_offset\":";
static const char key_sigma_east[KEY_PADDED] = "\"sigma_east\":";
static const char key_sigma_north[KEY_PADDED] = "\"sigma_north\":";
static const char key_sigma_up[KEY_PADDED] = "\"sigma_up\":";
static const char key_rho_east_north[KEY_PADDED] = "\"rho_east_north\":";
static const char key_rho_east_up[KEY_PADDED] = "\"rho_east_up\":";
static const char key_rho_north_up[KEY_PADDED] = "\"rho_north_up\":";
static const struct element elements_location[] = {
    {.op = P_FIX, .item = {KEY(latitude), .kind = K_IMAPB, .flags = F_ZERO, .old = OLD_LINEAR_UINT, .range_power = 8,
        .len_min = 4, .len_max = 4, .min = -90.0, .max = 90.0}},
    {.op = P_FIX, .item = {KEY(longitude), .kind = K_IMAPB, .flags = F_ZERO, .old = OLD_LINEAR_UINT, .range_power = 9,
        .len_min = 4, .len_max = 4, .min = -180.0, .max = 180.0}},
    {.op = P_FIX, .item = {KEY(hae), .kind = K_IMAPB, .flags = F_ZERO, .old = OLD_LINEAR_UINT, .range_power = 15,
        .len_min = 2, .len_max = 2, .min = -900.0, .max = 19000.0}},
    {.op = P_FIX, .optional = 1, .item = {KEY(sigma_east), .kind = K_IMAPB, .flags = F_ZERO, .old = OLD_LINEAR_UINT,
        .range_power = 10, .len_min = 2, .len_max = 2, .max = 650.0}},
    {.op = P_FIX, .optional = 1, .item = {KEY(sigma_north), .kind = K_IMAPB, .flags = F_ZERO, .old = OLD_LINEAR_UINT,
        .range_power = 10, .len_min = 2, .len_max = 2, .max = 650.0}},
    {.op = P_FIX, .optional = 1, .item = {KEY(sigma_up), .kind = K_IMAPB, .flags = F_ZERO, .old = OLD_LINEAR_UINT,
        .range_power = 10, .len_min = 2, .len_max = 2, .max = 650.0}},
    {.op = P_FIX, .optional = 1, .item = {KEY(rho_east_north), .kind = K_IMAPB, .flags = F_ZERO, .old = OLD_LINEAR_UINT,
        .range_power = 1, .len_min = 2, .len_max = 2, .min = -1.0, .max = 1.0}},
    {.op = P_FIX, .optional = 1, .item = {KEY(rho_east_up), .kind = K_IMAPB, .flags = F_ZERO, .old = OLD_LINEAR_UINT,
        .range_power = 1, .len_min = 2, .len_max = 2, .min = -1.0, .max = 1.0}},
    {.op = P_FIX, .optional = 1, .item = {KEY(rho_north_up), .kind = K_IMAPB, .flags = F_ZERO, .old = OLD_LINEAR_UINT,
        .range_power = 1, .len_min = 2, .len_max = 2, .min = -1.0, .max = 1.0}},
};
static const struct pack pack_location = {.elements = elements_location, .count = 9};
static const char key_target_location[KEY_PADDED] = "\"target_location\":";
static const char key_geospatial_contour_series[KEY_PADDED] = "\"geospatial_contour_series\":";
static const char key_centroid_pix_row[KEY_PADDED] = "\"centroid_pix_row\":";
static const char key_centroid_pix_col[KEY_PADDED] = "\"centroid_pix_col\":";
static const char key_row[KEY_PADDED] = "\"row\":";
static const char key_column[KEY_PADDED] = "\"column\":";
static const struct element elements_fpaindex[] = {
    {.op = P_FIX, .item = {KEY(row), .kind = K_UINT, .flags = F_ZERO, .len_min = 1, .len_max = 1, .min = 1.0,
        .max = 255.0}},
    {.op = P_FIX, .item = {KEY(column), .kind = K_UINT, .flags = F_ZERO, .len_min = 1, .len_max = 1, .min = 1.0,
        .max = 255.0}},
};
static const struct pack pack_fpaindex = {.elements = elements_fpaindex, .count = 2};
static const char key_fpa_index[KEY_PADDED] = "\"fpa_index\":";
static const char key_algorithm_id[KEY_PADDED] = "\"algorithm_id\":";
static const struct code codes_vtarget_23_detection_status[] = {
    {.code = 0, .label = "\"Inactive\""},
    {.code = 1, .label = "\"Active-Moving\""},
    {.code = 2, .label = "\"Dropped\""},
    {.code = 3, .label = "\"Active-Stopped\""},
    {.code = 4, .label = "\"Active-Coasting\""},
};
static const char key_detection_status[KEY_PADDED] = "\"detection_status\":";
static const char key_vmask[KEY_PADDED] = "\"vmask\":";
static const char key_vobject[KEY_PADDED] = "\"vobject\":";
static const char key_vfeature[KEY_PADDED] = "\"vfeature\":";
static const char key_vtracker[KEY_PADDED] = "\"vtracker\":";
static const char key_vchip[KEY_PADDED] = "\"vchip\":";
static const char key_vchip_series[KEY_PADDED] = "\"vchip_series\":";
static const char key_vobject_series[KEY_PADDED] = "\"vobject_series\":";
static const struct item items_vtarget[108] = {
    [1] = {KEY(target_centroid), .kind = K_UINT, .flags = F_ZERO, .len_min = 1, .len_max = 6, .min = 1.0,
        .max = 281474976710655.0},
    [2] = {KEY(bounding_box_top_left), .kind = K_UINT, .flags = F_ZERO, .len_min = 1, .len_max = 6, .min = 1.0,
        .max = 281474976710655.0},
    [3] = {KEY(bounding_box_bottom_right), .kind = K_UINT, .flags = F_ZERO, .len_min = 1, .len_max = 6, .min = 1.0,
        .max = 281474976710655.0},
    [4] = {KEY(target_priority), .kind = K_UINT, .flags = F_ZERO, .len_min = 1, .len_max = 1, .min = 1.0, .max = 255.0},
    [5] = {KEY(target_confidence_level), .kind = K_UINT, .flags = F_ZERO, .len_min = 1, .len_max = 1, .max = 100.0},
    [6] = {KEY(target_history), .kind = K_UINT, .flags = F_ZERO, .len_min = 1, .len_max = 2, .max = 65535.0},
    [7] = {KEY(percentage_of_target_pixels), .kind = K_UINT, .flags = F_ZERO, .len_min = 1, .len_max = 1, .min = 1.0,
        .max = 100.0},
    [8] = {KEY(target_color), .kind = K_BYTES, .flags = F_ZERO, .place = PLACE_INSIDE, .len_min = 3, .len_max = 3},
    [9] = {KEY(target_intensity), .kind = K_UINT, .flags = F_ZERO, .len_min = 1, .len_max = 3, .max = 16777215.0},
    [10] = {KEY(target_location_offset_lat), .kind = K_IMAPB, .flags = F_ZERO, .old = OLD_LINEAR_INT, .range_power = 6,
        .place = PLACE_INSIDE, .len_min = 3, .len_max = 3, .min = -19.2, .max = 19.2},
    [11] = {KEY(target_location_offset_lon), .kind = K_IMAPB, .flags = F_ZERO, .old = OLD_LINEAR_INT, .range_power = 6,
        .place = PLACE_INSIDE, .len_min = 3, .len_max = 3, .min = -19.2, .max = 19.2},
    [12] = {KEY(target_hae), .kind = K_IMAPB, .flags = F_ZERO, .old = OLD_LINEAR_UINT, .range_power = 15, .len_min = 2,
        .len_max = 2, .min = -900.0, .max = 19000.0},
    [13] = {KEY(bounding_box_top_left_lat_offset), .kind = K_IMAPB, .flags = F_ZERO, .old = OLD_LINEAR_INT,
        .range_power = 6, .place = PLACE_INSIDE, .len_min = 3, .len_max = 3, .min = -19.2, .max = 19.2},
    [14] = {KEY(bounding_box_top_left_lon_offset), .kind = K_IMAPB, .flags = F_ZERO, .old = OLD_LINEAR_INT,
        .range_power = 6, .place = PLACE_INSIDE, .len_min = 3, .len_max = 3, .min = -19.2, .max = 19.2},
    [15] = {KEY(bounding_box_bottom_right_lat_offset), .kind = K_IMAPB, .flags = F_ZERO, .old = OLD_LINEAR_INT,
        .range_power = 6, .place = PLACE_INSIDE, .len_min = 3, .len_max = 3, .min = -19.2, .max = 19.2},
    [16] = {KEY(bounding_box_bottom_right_lon_offset), .kind = K_IMAPB, .flags = F_ZERO, .old = OLD_LINEAR_INT,
        .range_power = 6, .place = PLACE_INSIDE, .len_min = 3, .len_max = 3, .min = -19.2, .max = 19.2},
    [17] = {KEY(target_location), .kind = K_PACK, .flags = F_ZERO, .place = PLACE_INSIDE, .len_min = 10, .len_max = 22,
        .pack = &pack_location},
    [18] = {KEY(geospatial_contour_series), .kind = K_SERIES_PACK, .flags = F_ZERO, .place = PLACE_INSIDE,
        .pack = &pack_location},
    [19] = {KEY(centroid_pix_row), .kind = K_UINT, .flags = F_ZERO, .len_min = 1, .len_max = 4, .min = 1.0,
        .max = 4294967295.0},
    [20] = {KEY(centroid_pix_col), .kind = K_UINT, .flags = F_ZERO, .len_min = 1, .len_max = 4, .min = 1.0,
        .max = 4294967295.0},
    [21] = {KEY(fpa_index), .kind = K_PACK, .flags = F_ZERO, .len_min = 2, .len_max = 2, .pack = &pack_fpaindex},
    [22] = {KEY(algorithm_id), .kind = K_UINT, .flags = F_ZERO, .len_min = 1, .len_max = 3, .max = 16777215.0},
    [23] = {KEY(detection_status), .kind = K_ENUM, .flags = F_ZERO, .len_min = 1, .len_max = 1, .max = 4.0,
        .codes = codes_vtarget_23_detection_status, .code_count = 5},
    [101] = {KEY(vmask), .kind = K_SET, .flags = F_ZERO, .place = PLACE_INSIDE, .set = &set_vmask},
    [102] = {KEY(vobject), .kind = K_SET, .flags = F_ZERO, .place = PLACE_INSIDE, .set = &set_vobject},
    [103] = {KEY(vfeature), .kind = K_SET, .flags = F_ZERO, .place = PLACE_INSIDE, .set = &set_vfeature},
    [104] = {KEY(vtracker), .kind = K_SET, .flags = F_ZERO, .place = PLACE_INSIDE, .set = &set_vtracker},
    [105] = {KEY(vchip), .kind = K_SET, .flags = F_ZERO, .place = PLACE_INSIDE, .set = &set_vchip},
    [106] = {KEY(vchip_series), .kind = K_SERIES, .flags = F_ZERO, .place = PLACE_INSIDE, .set = &set_vchip},
    [107] = {KEY(vobject_series), .kind = K_SERIES, .flags = F_ZERO, .place = PLACE_INSIDE, .set = &set_vobject},
};
static const char key_track_time_stamp[KEY_PADDED] = "\"track_time_stamp\":";
static const char key_track_id[KEY_PADDED] = "\"track_id\":";
static const struct code codes_vtrack_4_track_status[] = {
    {.code = 0, .label = "\"Inactive\""},
    {.code = 1, .label = "\"Active-Moving\""},
    {.code = 2, .label = "\"Dropped\""},
    {.code = 3, .label = "\"Active-Stopped\""},
    {.code = 4, .label = "\"Active-Coasting\""},
};
static const char key_track_status[KEY_PADDED] = "\"track_status\":";
static const char key_track_start_time[KEY_PADDED] = "\"track_start_time\":";
static const char key_track_end_time[KEY_PADDED] = "\"track_end_time\":";
static const char key_track_boundary_series[KEY_PADDED] = "\"track_boundary_series\":";
static const char key_track_algorithm[KEY_PADDED] = "\"track_algorithm\":";
static const char key_track_confidence[KEY_PADDED] = "\"track_confidence\":";
static const char key_num_track_points[KEY_PADDED] = "\"num_track_points\":";
static const char key_vtrack_item_series[KEY_PADDED] = "\"vtrack_item_series\":";
static const struct item items_vtrack[104] = {
    [1] = {KEY(checksum), .kind = K_UINT, .len_min = 2, .len_max = 2, .max = 65535.0},
    [2] = {KEY(track_time_stamp), .kind = K_UINT, .flags = F_ZERO, .len_min = 8, .len_max = 8,
        .max = 1.8446744073709552e+19},
    [3] = {KEY(track_id), .kind = K_UUID, .flags = F_ZERO, .len_min = 16, .len_max = 16},
    [4] = {KEY(track_status), .kind = K_ENUM, .flags = F_ZERO, .len_min = 1, .len_max = 1, .max = 4.0,
        .codes = codes_vtrack_4_track_status, .code_count = 5},
    [5] = {KEY(track_start_time), .kind = K_UINT, .flags = F_ZERO, .len_min = 8, .len_max = 8,
        .max = 1.8446744073709552e+19},
    [6] = {KEY(track_end_time), .kind = K_UINT, .flags = F_ZERO, .len_min = 8, .len_max = 8,
        .max = 1.8446744073709552e+19},
    [7] = {KEY(track_boundary_series), .kind = K_SERIES_PACK, .flags = F_ZERO, .place = PLACE_INSIDE,
        .pack = &pack_location},
    [8] = {KEY(track_algorithm), .kind = K_TEXT, .flags = F_ZERO},
    [9] = {KEY(track_confidence), .kind = K_UINT, .flags = F_ZERO, .len_min = 1, .len_max = 1, .max = 100.0},
    [10] = {KEY(vmti_system_name), .kind = K_TEXT, .flags = F_ZERO, .len_max = 128},
    [11] = {KEY(vmti_ls_version), .kind = K_UINT, .flags = F_ZERO, .len_min = 1, .len_max = 2, .min = 1.0,
        .max = 65535.0},
    [12] = {KEY(vmti_source_sensor), .kind = K_TEXT, .flags = F_ZERO, .len_max = 512},
    [13] = {KEY(num_track_points), .kind = K_UINT, .flags = F_ZERO, .len_min = 1, .len_max = 2, .max = 65535.0},
    [101] = {KEY(vtrack_item_series), .kind = K_TARGETS, .flags = F_ZERO, .place = PLACE_INSIDE,
        .set = &set_vtrackitem},
    [103] = {KEY(ontology_series), .kind = K_SERIES, .flags = F_ZERO, .place = PLACE_INSIDE, .set = &set_ontology},
};
static const char key_target_time_stamp[KEY_PADDED] = "\"target_time_stamp\":";
static const char key_boundary_top_left[KEY_PADDED] = "\"boundary_top_left\":";
static const char key_boundary_bottom_right[KEY_PADDED] = "\"boundary_bottom_right\":";
static const char key_target_boundary_series[KEY_PADDED] = "\"target_boundary_series\":";
static const char key_east[KEY_PADDED] = "\"east\":";
static const char key_north[KEY_PADDED] = "\"north\":";
static const char key_up[KEY_PADDED] = "\"up\":";
static const struct element elements_velocity[] = {
    {.op = P_FIX, .item = {KEY(east), .kind = K_IMAPB, .flags = F_ZERO, .old = OLD_LINEAR_UINT, .range_power = 11,
        .len_min = 2, .len_max = 2, .min = -900.0, .max = 900.0}},
    {.op = P_FIX, .item = {KEY(north), .kind = K_IMAPB, .flags = F_ZERO, .old = OLD_LINEAR_UINT, .range_power = 11,
        .len_min = 2, .len_max = 2, .min = -900.0, .max = 900.0}},
    {.op = P_FIX, .item = {KEY(up), .kind = K_IMAPB, .flags = F_ZERO, .old = OLD_LINEAR_UINT, .range_power = 11,
        .len_min = 2, .len_max = 2, .min = -900.0, .max = 900.0}},
    {.op = P_FIX, .optional = 1, .item = {KEY(sigma_east), .kind = K_IMAPB, .flags = F_ZERO, .old = OLD_LINEAR_UINT,
        .range_power = 10, .len_min = 2, .len_max = 2, .max = 650.0}},
    {.op = P_FIX, .optional = 1, .item = {KEY(sigma_north), .kind = K_IMAPB, .flags = F_ZERO, .old = OLD_LINEAR_UINT,
        .range_power = 10, .len_min = 2, .len_max = 2, .max = 650.0}},
    {.op = P_FIX, .optional = 1, .item = {KEY(sigma_up), .kind = K_IMAPB, .flags = F_ZERO, .old = OLD_LINEAR_UINT,
        .range_power = 10, .len_min = 2, .len_max = 2, .max = 650.0}},
    {.op = P_FIX, .optional = 1, .item = {KEY(rho_east_north), .kind = K_IMAPB, .flags = F_ZERO, .old = OLD_LINEAR_UINT,
        .range_power = 1, .len_min = 2, .len_max = 2, .min = -1.0, .max = 1.0}},
    {.op = P_FIX, .optional = 1, .item = {KEY(rho_east_up), .kind = K_IMAPB, .flags = F_ZERO, .old = OLD_LINEAR_UINT,
        .range_power = 1, .len_min = 2, .len_max = 2, .min = -1.0, .max = 1.0}},
    {.op = P_FIX, .optional = 1, .item = {KEY(rho_north_up), .kind = K_IMAPB, .flags = F_ZERO, .old = OLD_LINEAR_UINT,
        .range_power = 1, .len_min = 2, .len_max = 2, .min = -1.0, .max = 1.0}},
};
static const struct pack pack_velocity = {.elements = elements_velocity, .count = 9};
static const char key_velocity[KEY_PADDED] = "\"velocity\":";
static const struct element elements_acceleration[] = {
    {.op = P_FIX, .item = {KEY(east), .kind = K_IMAPB, .flags = F_ZERO, .old = OLD_LINEAR_UINT, .range_power = 11,
        .len_min = 2, .len_max = 2, .min = -900.0, .max = 900.0}},
    {.op = P_FIX, .item = {KEY(north), .kind = K_IMAPB, .flags = F_ZERO, .old = OLD_LINEAR_UINT, .range_power = 11,
        .len_min = 2, .len_max = 2, .min = -900.0, .max = 900.0}},
    {.op = P_FIX, .item = {KEY(up), .kind = K_IMAPB, .flags = F_ZERO, .old = OLD_LINEAR_UINT, .range_power = 11,
        .len_min = 2, .len_max = 2, .min = -900.0, .max = 900.0}},
    {.op = P_FIX, .optional = 1, .item = {KEY(sigma_east), .kind = K_IMAPB, .flags = F_ZERO, .old = OLD_LINEAR_UINT,
        .range_power = 10, .len_min = 2, .len_max = 2, .max = 650.0}},
    {.op = P_FIX, .optional = 1, .item = {KEY(sigma_north), .kind = K_IMAPB, .flags = F_ZERO, .old = OLD_LINEAR_UINT,
        .range_power = 10, .len_min = 2, .len_max = 2, .max = 650.0}},
    {.op = P_FIX, .optional = 1, .item = {KEY(sigma_up), .kind = K_IMAPB, .flags = F_ZERO, .old = OLD_LINEAR_UINT,
        .range_power = 10, .len_min = 2, .len_max = 2, .max = 650.0}},
    {.op = P_FIX, .optional = 1, .item = {KEY(rho_east_north), .kind = K_IMAPB, .flags = F_ZERO, .old = OLD_LINEAR_UINT,
        .range_power = 1, .len_min = 2, .len_max = 2, .min = -1.0, .max = 1.0}},
    {.op = P_FIX, .optional = 1, .item = {KEY(rho_east_up), .kind = K_IMAPB, .flags = F_ZERO, .old = OLD_LINEAR_UINT,
        .range_power = 1, .len_min = 2, .len_max = 2, .min = -1.0, .max = 1.0}},
    {.op = P_FIX, .optional = 1, .item = {KEY(rho_north_up), .kind = K_IMAPB, .flags = F_ZERO, .old = OLD_LINEAR_UINT,
        .range_power = 1, .len_min = 2, .len_max = 2, .min = -1.0, .max = 1.0}},
};
static const struct pack pack_acceleration = {.elements = elements_acceleration, .count = 9};
static const char key_acceleration[KEY_PADDED] = "\"acceleration\":";
static const char key_video_frame_number[KEY_PADDED] = "\"video_frame_number\":";
static const char key_sensor_horizontal_fov[KEY_PADDED] = "\"sensor_horizontal_fov\":";
static const char key_sensor_vertical_fov[KEY_PADDED] = "\"sensor_vertical_fov\":";
static const char key_motion_imagery_url[KEY_PADDED] = "\"motion_imagery_url\":";
static const struct item items_vtrackitem[107] = {
    [1] = {KEY(target_time_stamp), .kind = K_UINT, .flags = F_ZERO, .len_min = 8, .len_max = 8,
        .max = 1.8446744073709552e+19},
    [2] = {KEY(target_centroid), .kind = K_UINT, .flags = F_ZERO, .len_min = 1, .len_max = 6, .min = 1.0,
        .max = 281474976710655.0},
    [3] = {KEY(centroid_pix_row), .kind = K_UINT, .flags = F_ZERO, .len_min = 1, .len_max = 4, .min = 1.0,
        .max = 4294967295.0},
    [4] = {KEY(centroid_pix_col), .kind = K_UINT, .flags = F_ZERO, .len_min = 1, .len_max = 4, .min = 1.0,
        .max = 4294967295.0},
    [5] = {KEY(boundary_top_left), .kind = K_UINT, .flags = F_ZERO, .len_min = 1, .len_max = 6, .min = 1.0,
        .max = 281474976710655.0},
    [6] = {KEY(boundary_bottom_right), .kind = K_UINT, .flags = F_ZERO, .len_min = 1, .len_max = 6, .min = 1.0,
        .max = 281474976710655.0},
    [7] = {KEY(target_priority), .kind = K_UINT, .flags = F_ZERO, .len_min = 1, .len_max = 1, .min = 1.0, .max = 255.0},
    [8] = {KEY(target_confidence_level), .kind = K_UINT, .flags = F_ZERO, .len_min = 1, .len_max = 1, .max = 100.0},
    [9] = {KEY(target_history), .kind = K_UINT, .flags = F_ZERO, .len_min = 1, .len_max = 2, .max = 65535.0},
    [10] = {KEY(percentage_of_target_pixels), .kind = K_UINT, .flags = F_ZERO, .len_min = 1, .len_max = 1, .min = 1.0,
        .max = 100.0},
    [11] = {KEY(target_color), .kind = K_BYTES, .flags = F_ZERO, .place = PLACE_INSIDE, .len_min = 3, .len_max = 3},
    [12] = {KEY(target_intensity), .kind = K_UINT, .flags = F_ZERO, .len_min = 1, .len_max = 3, .max = 16777215.0},
    [13] = {KEY(target_location), .kind = K_PACK, .flags = F_ZERO, .place = PLACE_INSIDE, .len_min = 10, .len_max = 22,
        .pack = &pack_location},
    [14] = {KEY(target_boundary_series), .kind = K_SERIES_PACK, .flags = F_ZERO, .place = PLACE_INSIDE,
        .pack = &pack_location},
    [15] = {KEY(velocity), .kind = K_PACK, .flags = F_ZERO, .len_min = 6, .len_max = 18, .pack = &pack_velocity},
    [16] = {KEY(acceleration), .kind = K_PACK, .flags = F_ZERO, .len_min = 6, .len_max = 18,
        .pack = &pack_acceleration},
    [17] = {KEY(fpa_index), .kind = K_PACK, .flags = F_ZERO, .len_min = 2, .len_max = 2, .pack = &pack_fpaindex},
    [18] = {KEY(video_frame_number), .kind = K_UINT, .flags = F_ZERO, .len_min = 1, .len_max = 3, .max = 16777215.0},
    [19] = {KEY(miis_id), .kind = K_MIIS, .flags = F_ZERO, .len_min = 18, .len_max = 66},
    [20] = {KEY(frame_width), .kind = K_UINT, .flags = F_ZERO, .len_min = 1, .len_max = 3, .min = 1.0,
        .max = 16777215.0},
    [21] = {KEY(frame_height), .kind = K_UINT, .flags = F_ZERO, .len_min = 1, .len_max = 3, .min = 1.0,
        .max = 16777215.0},
    [22] = {KEY(sensor_horizontal_fov), .kind = K_IMAPB, .flags = F_ZERO, .range_power = 8, .len_min = 2, .len_max = 2,
        .max = 180.0},
    [23] = {KEY(sensor_vertical_fov), .kind = K_IMAPB, .flags = F_ZERO, .range_power = 8, .len_min = 2, .len_max = 2,
        .max = 180.0},
    [24] = {KEY(motion_imagery_url), .kind = K_TEXT, .flags = F_ZERO},
    [101] = {KEY(vmask), .kind = K_SET, .flags = F_ZERO, .place = PLACE_INSIDE, .set = &set_vmask},
    [102] = {KEY(vobject), .kind = K_SET, .flags = F_ZERO, .place = PLACE_INSIDE, .set = &set_vobject},
    [103] = {KEY(vfeature), .kind = K_SET, .flags = F_ZERO, .place = PLACE_INSIDE, .set = &set_vfeature},
    [104] = {KEY(vchip), .kind = K_SET, .flags = F_ZERO, .place = PLACE_INSIDE, .set = &set_vchip},
    [105] = {KEY(vchip_series), .kind = K_SERIES, .flags = F_ZERO, .place = PLACE_INSIDE, .set = &set_vchip},
    [106] = {KEY(vobject_series), .kind = K_SERIES, .flags = F_ZERO, .place = PLACE_INSIDE, .set = &set_vobject},
};
static const char key_pixel_contour[KEY_PADDED] = "\"pixel_contour\":";
static const char key_start_pixel[KEY_PADDED] = "\"start_pixel\":";
static const char key_run[KEY_PADDED] = "\"run\":";
static const struct element elements_pixelrun[] = {
    {.op = P_LENGTH, .item = {KEY(start_pixel), .kind = K_UINT, .flags = F_ZERO, .min = 1.0, .max = 281474976710655.0}},
    {.op = P_BER, .item = {KEY(run), .kind = K_UINT, .flags = F_ZERO}},
};
static const struct pack pack_pixelrun = {.elements = elements_pixelrun, .count = 2};
static const char key_bit_mask_series[KEY_PADDED] = "\"bit_mask_series\":";
static const struct item items_vmask[3] = {
    [1] = {KEY(pixel_contour), .kind = K_SERIES_UINT, .flags = F_ZERO, .place = PLACE_INSIDE},
    [2] = {KEY(bit_mask_series), .kind = K_SERIES_PACK, .flags = F_ZERO, .place = PLACE_INSIDE, .pack = &pack_pixelrun},
};
static const char key_ontology[KEY_PADDED] = "\"ontology\":";
static const char key_ontology_class[KEY_PADDED] = "\"ontology_class\":";
static const char key_ontology_id[KEY_PADDED] = "\"ontology_id\":";
static const char key_confidence[KEY_PADDED] = "\"confidence\":";
static const char key_vfeature_series[KEY_PADDED] = "\"vfeature_series\":";
static const struct item items_vobject[6] = {
    [1] = {KEY(ontology), .kind = K_TEXT, .flags = F_ZERO},
    [2] = {KEY(ontology_class), .kind = K_TEXT, .flags = F_ZERO},
    [3] = {KEY(ontology_id), .kind = K_UINT, .flags = F_ZERO, .len_min = 1, .len_max = 3, .max = 16777215.0},
    [4] = {KEY(confidence), .kind = K_IMAPB, .flags = F_ZERO, .range_power = 7, .len_min = 1, .len_max = 3,
        .max = 100.0},
    [5] = {KEY(vfeature_series), .kind = K_SERIES, .flags = F_ZERO, .place = PLACE_INSIDE, .set = &set_vfeature},
};
static const char key_schema[KEY_PADDED] = "\"schema\":";
static const char key_schema_feature[KEY_PADDED] = "\"schema_feature\":";
static const struct item items_vfeature[5] = {
    [1] = {KEY(schema), .kind = K_TEXT, .flags = F_ZERO},
    [2] = {KEY(schema_feature), .kind = K_TEXT, .flags = F_ZERO},
    [3] = {KEY(ontology_id), .kind = K_UINT, .flags = F_ZERO, .len_min = 1, .len_max = 3, .max = 16777215.0},
    [4] = {KEY(confidence), .kind = K_IMAPB, .flags = F_ZERO, .range_power = 7, .len_min = 1, .len_max = 3,
        .max = 100.0},
};
static const struct code codes_vtracker_2_detection_status[] = {
    {.code = 0, .label = "\"Inactive\""},
    {.code = 1, .label = "\"Active-Moving\""},
    {.code = 2, .label = "\"Dropped\""},
    {.code = 3, .label = "\"Active-Stopped\""},
    {.code = 4, .label = "\"Active-Coasting\""},
};
static const char key_first_observation_time[KEY_PADDED] = "\"first_observation_time\":";
static const char key_latest_observation_time[KEY_PADDED] = "\"latest_observation_time\":";
static const char key_algorithm[KEY_PADDED] = "\"algorithm\":";
static const char key_confidence_level[KEY_PADDED] = "\"confidence_level\":";
static const char key_track_history_series[KEY_PADDED] = "\"track_history_series\":";
static const struct item items_vtracker[13] = {
    [1] = {KEY(track_id), .kind = K_UUID, .flags = F_ZERO, .len_min = 16, .len_max = 16},
    [2] = {KEY(detection_status), .kind = K_ENUM, .flags = F_ZERO, .len_min = 1, .len_max = 1, .max = 4.0,
        .codes = codes_vtracker_2_detection_status, .code_count = 5},
    [3] = {KEY(first_observation_time), .kind = K_UINT, .flags = F_ZERO, .len_min = 8, .len_max = 8,
        .max = 1.8446744073709552e+19},
    [4] = {KEY(latest_observation_time), .kind = K_UINT, .flags = F_ZERO, .len_min = 8, .len_max = 8,
        .max = 1.8446744073709552e+19},
    [5] = {KEY(track_boundary_series), .kind = K_SERIES_PACK, .flags = F_ZERO, .place = PLACE_INSIDE,
        .pack = &pack_location},
    [6] = {KEY(algorithm), .kind = K_TEXT, .flags = F_ZERO},
    [7] = {KEY(confidence_level), .kind = K_UINT, .flags = F_ZERO, .len_min = 1, .len_max = 1, .max = 100.0},
    [8] = {KEY(num_track_points), .kind = K_UINT, .flags = F_ZERO, .len_min = 1, .len_max = 2, .max = 65535.0},
    [9] = {KEY(track_history_series), .kind = K_SERIES_PACK, .flags = F_ZERO, .place = PLACE_INSIDE,
        .pack = &pack_location},
    [10] = {KEY(velocity), .kind = K_PACK, .flags = F_ZERO, .len_min = 6, .len_max = 18, .pack = &pack_velocity},
    [11] = {KEY(acceleration), .kind = K_PACK, .flags = F_ZERO, .len_min = 6, .len_max = 18,
        .pack = &pack_acceleration},
    [12] = {KEY(algorithm_id), .kind = K_UINT, .flags = F_ZERO, .len_min = 1, .len_max = 3, .max = 16777215.0},
};
static const char key_image_type[KEY_PADDED] = "\"image_type\":";
static const char key_image_iri[KEY_PADDED] = "\"image_iri\":";
static const char key_embedded_image[KEY_PADDED] = "\"embedded_image\":";
static const struct item items_vchip[4] = {
    [1] = {KEY(image_type), .kind = K_TEXT, .flags = F_ZERO},
    [2] = {KEY(image_iri), .kind = K_TEXT, .flags = F_ZERO},
    [3] = {KEY(embedded_image), .kind = K_BYTES, .flags = F_ZERO, .place = PLACE_INSIDE},
};
static const char key_algorithm_class[KEY_PADDED] = "\"algorithm_class\":";
static const char key_n_frames[KEY_PADDED] = "\"n_frames\":";
static const struct item items_algorithm[6] = {
    [1] = {KEY(algorithm_id), .kind = K_UINT, .flags = F_ZERO, .len_min = 1, .len_max = 3, .max = 16777215.0},
    [2] = {KEY(name), .kind = K_TEXT, .flags = F_ZERO},
    [3] = {KEY(version), .kind = K_TEXT, .flags = F_ZERO},
    [4] = {KEY(algorithm_class), .kind = K_TEXT, .flags = F_ZERO},
    [5] = {KEY(n_frames), .kind = K_UINT, .flags = F_ZERO, .len_min = 1, .len_max = 3, .max = 16777215.0},
};
static const char key_parent_id[KEY_PADDED] = "\"parent_id\":";
static const char key_ontology_iri[KEY_PADDED] = "\"ontology_iri\":";
static const char key_entity_iri[KEY_PADDED] = "\"entity_iri\":";
static const char key_version_iri[KEY_PADDED] = "\"version_iri\":";
static const char key_label[KEY_PADDED] = "\"label\":";
static const struct item items_ontology[7] = {
    [1] = {KEY(ontology_id), .kind = K_UINT, .flags = F_ZERO, .len_min = 1, .len_max = 3, .max = 16777215.0},
    [2] = {KEY(parent_id), .kind = K_UINT, .flags = F_ZERO, .len_min = 1, .len_max = 3, .max = 16777215.0},
    [3] = {KEY(ontology_iri), .kind = K_TEXT, .flags = F_ZERO},
    [4] = {KEY(entity_iri), .kind = K_TEXT, .flags = F_ZERO},
    [5] = {KEY(version_iri), .kind = K_TEXT, .flags = F_ZERO},
    [6] = {KEY(label), .kind = K_TEXT, .flags = F_ZERO},
};
static const char key_crc32[KEY_PADDED] = "\"crc32\":";
static const char key_telemetry_accuracy_indicator[KEY_PADDED] = "\"telemetry_accuracy_indicator\":";
static const char key_frag_circle_radius[KEY_PADDED] = "\"frag_circle_radius\":";
static const char key_frame_code[KEY_PADDED] = "\"frame_code\":";
static const char key_rvt_ls_version[KEY_PADDED] = "\"rvt_ls_version\":";
static const char key_video_data_rate[KEY_PADDED] = "\"video_data_rate\":";
static const char key_digital_video_file_format[KEY_PADDED] = "\"digital_video_file_format\":";
static const char key_user_defined_local_set[KEY_PADDED] = "\"user_defined_local_set\":";
static const char key_point_of_interest_local_set[KEY_PADDED] = "\"point_of_interest_local_set\":";
static const char key_area_of_interest_local_set[KEY_PADDED] = "\"area_of_interest_local_set\":";
static const char key_mgrs_zone[KEY_PADDED] = "\"mgrs_zone\":";
static const char key_mgrs_latitude_band_and_grid_square[KEY_PADDED] = "\"mgrs_latitude_band_and_grid_square\":";
static const char key_mgrs_easting[KEY_PADDED] = "\"mgrs_easting\":";
static const char key_mgrs_northing[KEY_PADDED] = "\"mgrs_northing\":";
static const char key_frame_center_mgrs_zone[KEY_PADDED] = "\"frame_center_mgrs_zone\":";
static const char key_frame_center_mgrs_latitude_band_and_grid_square[KEY_PADDED] =
    "\"frame_center_mgrs_latitude_band_and_grid_square\":";
static const char key_frame_center_mgrs_easting[KEY_PADDED] = "\"frame_center_mgrs_easting\":";
static const char key_frame_center_mgrs_northing[KEY_PADDED] = "\"frame_center_mgrs_northing\":";
static const struct item items_st0806[22] = {
    [1] = {KEY(crc32), .kind = K_UINT, .len_min = 4, .len_max = 4, .max = 4294967295.0},
    [2] = {KEY(precision_time_stamp), .kind = K_UINT, .flags = F_ZERO, .len_min = 8, .len_max = 8,
        .max = 1.8446744073709552e+19},
    [3] = {KEY(platform_true_airspeed), .kind = K_UINT, .flags = F_ZERO, .len_min = 2, .len_max = 2, .max = 65535.0},
    [4] = {KEY(platform_indicated_airspeed), .kind = K_UINT, .flags = F_ZERO, .len_min = 2, .len_max = 2,
        .max = 65535.0},
    [5] = {KEY(telemetry_accuracy_indicator), .kind = K_UINT, .flags = F_ZERO, .len_min = 1, .len_max = 1,
        .max = 255.0},
    [6] = {KEY(frag_circle_radius), .kind = K_UINT, .flags = F_ZERO, .len_min = 2, .len_max = 2, .max = 65535.0},
    [7] = {KEY(frame_code), .kind = K_UINT, .flags = F_ZERO, .len_min = 4, .len_max = 4, .max = 4294967295.0},
    [8] = {KEY(rvt_ls_version), .kind = K_UINT, .flags = F_ZERO, .len_min = 1, .len_max = 1, .max = 255.0},
    [9] = {KEY(video_data_rate), .kind = K_UINT, .flags = F_ZERO, .len_min = 4, .len_max = 4, .max = 4294967295.0},
    [10] = {KEY(digital_video_file_format), .kind = K_TEXT, .flags = F_ZERO, .len_max = 127},
    [11] = {KEY(user_defined_local_set), .kind = K_SET, .flags = F_ZERO | F_REPEATS, .place = PLACE_INSIDE,
        .set = &set_rvtuserdefined},
    [12] = {KEY(point_of_interest_local_set), .kind = K_SET, .flags = F_ZERO | F_REPEATS, .place = PLACE_INSIDE,
        .set = &set_rvtpoi},
    [13] = {KEY(area_of_interest_local_set), .kind = K_SET, .flags = F_ZERO | F_REPEATS, .place = PLACE_INSIDE,
        .set = &set_rvtaoi},
    [14] = {KEY(mgrs_zone), .kind = K_UINT, .flags = F_ZERO, .place = PLACE_INSIDE, .len_min = 1, .len_max = 1,
        .min = 1.0, .max = 60.0},
    [15] = {KEY(mgrs_latitude_band_and_grid_square), .kind = K_TEXT, .flags = F_ZERO, .place = PLACE_INSIDE,
        .len_min = 3, .len_max = 3},
    [16] = {KEY(mgrs_easting), .kind = K_UINT, .flags = F_ZERO, .place = PLACE_INSIDE, .len_min = 3, .len_max = 3,
        .max = 99999.0},
    [17] = {KEY(mgrs_northing), .kind = K_UINT, .flags = F_ZERO, .place = PLACE_INSIDE, .len_min = 3, .len_max = 3,
        .max = 99999.0},
    [18] = {KEY(frame_center_mgrs_zone), .kind = K_UINT, .flags = F_ZERO, .place = PLACE_INSIDE, .len_min = 1,
        .len_max = 1, .min = 1.0, .max = 60.0},
    [19] = {KEY(frame_center_mgrs_latitude_band_and_grid_square), .kind = K_TEXT, .flags = F_ZERO,
        .place = PLACE_INSIDE, .len_min = 3, .len_max = 3},
    [20] = {KEY(frame_center_mgrs_easting), .kind = K_UINT, .flags = F_ZERO, .place = PLACE_INSIDE, .len_min = 3,
        .len_max = 3, .max = 99999.0},
    [21] = {KEY(frame_center_mgrs_northing), .kind = K_UINT, .flags = F_ZERO, .place = PLACE_INSIDE, .len_min = 3,
        .len_max = 3, .max = 99999.0},
};
static const char key_number[KEY_PADDED] = "\"number\":";
static const char key_poi_latitude[KEY_PADDED] = "\"poi_latitude\":";
static const char key_poi_longitude[KEY_PADDED] = "\"poi_longitude\":";
static const char key_poi_altitude[KEY_PADDED] = "\"poi_altitude\":";
static const struct code codes_rvtpoi_5_type[] = {
    {.code = 1, .label = "\"Friendly\""},
    {.code = 2, .label = "\"Hostile\""},
    {.code = 3, .label = "\"Target\""},
    {.code = 4, .label = "\"Unknown\""},
};
static const char key_type[KEY_PADDED] = "\"type\":";
static const char key_text[KEY_PADDED] = "\"text\":";
static const char key_poi_source_icon[KEY_PADDED] = "\"poi_source_icon\":";
static const char key_source_id[KEY_PADDED] = "\"source_id\":";
static const char key_operation_id[KEY_PADDED] = "\"operation_id\":";
static const struct item items_rvtpoi[11] = {
    [1] = {KEY(number), .kind = K_UINT, .flags = F_ZERO, .len_min = 2, .len_max = 2, .max = 65535.0},
    [2] = {KEY(poi_latitude), .kind = K_LINEAR_INT, .flags = F_ZERO, .decimals = 8, .place = PLACE_LATITUDE,
        .len_min = 4, .len_max = 4, .min = -90.0, .max = 90.0, .scale = 4.190951587721217e-08,
        .print = 4.190951587721218, .special = "\"error\""},
    [3] = {KEY(poi_longitude), .kind = K_LINEAR_INT, .flags = F_ZERO, .decimals = 8, .place = PLACE_LONGITUDE,
        .len_min = 4, .len_max = 4, .min = -180.0, .max = 180.0, .scale = 8.381903175442434e-08,
        .print = 8.381903175442435, .special = "\"error\""},
    [4] = {KEY(poi_altitude), .kind = K_LINEAR_UINT, .flags = F_ZERO, .decimals = 1, .len_min = 2, .len_max = 2,
        .min = -900.0, .max = 19000.0, .scale = 0.30365453574425877, .print = 3.036545357442588},
    [5] = {KEY(type), .kind = K_ENUM, .flags = F_ZERO, .len_min = 1, .len_max = 1, .min = 1.0, .max = 4.0,
        .codes = codes_rvtpoi_5_type, .code_count = 4},
    [6] = {KEY(text), .kind = K_TEXT, .flags = F_ZERO, .len_max = 2048},
    [7] = {KEY(poi_source_icon), .kind = K_TEXT, .flags = F_ZERO, .len_max = 127},
    [8] = {KEY(source_id), .kind = K_TEXT, .flags = F_ZERO, .len_max = 255},
    [9] = {KEY(label), .kind = K_TEXT, .flags = F_ZERO, .len_max = 16},
    [10] = {KEY(operation_id), .kind = K_TEXT, .flags = F_ZERO, .len_max = 127},
};
static const char key_corner_latitude_point_1[KEY_PADDED] = "\"corner_latitude_point_1\":";
static const char key_corner_longitude_point_1[KEY_PADDED] = "\"corner_longitude_point_1\":";
static const char key_corner_latitude_point_3[KEY_PADDED] = "\"corner_latitude_point_3\":";
static const char key_corner_longitude_point_3[KEY_PADDED] = "\"corner_longitude_point_3\":";
static const struct code codes_rvtaoi_6_type[] = {
    {.code = 1, .label = "\"Friendly\""},
    {.code = 2, .label = "\"Hostile\""},
    {.code = 3, .label = "\"Target\""},
    {.code = 4, .label = "\"Unknown\""},
};
static const struct item items_rvtaoi[11] = {
    [1] = {KEY(number), .kind = K_UINT, .flags = F_ZERO, .len_min = 2, .len_max = 2, .max = 65535.0},
    [2] = {KEY(corner_latitude_point_1), .kind = K_LINEAR_INT, .flags = F_ZERO, .decimals = 8, .place = PLACE_LATITUDE,
        .len_min = 4, .len_max = 4, .min = -90.0, .max = 90.0, .scale = 4.190951587721217e-08,
        .print = 4.190951587721218, .special = "\"error\""},
    [3] = {KEY(corner_longitude_point_1), .kind = K_LINEAR_INT, .flags = F_ZERO, .decimals = 8,
        .place = PLACE_LONGITUDE, .len_min = 4, .len_max = 4, .min = -180.0, .max = 180.0,
        .scale = 8.381903175442434e-08, .print = 8.381903175442435, .special = "\"error\""},
    [4] = {KEY(corner_latitude_point_3), .kind = K_LINEAR_INT, .flags = F_ZERO, .decimals = 8, .place = PLACE_LATITUDE,
        .len_min = 4, .len_max = 4, .min = -90.0, .max = 90.0, .scale = 4.190951587721217e-08,
        .print = 4.190951587721218, .special = "\"error\""},
    [5] = {KEY(corner_longitude_point_3), .kind = K_LINEAR_INT, .flags = F_ZERO, .decimals = 8,
        .place = PLACE_LONGITUDE, .len_min = 4, .len_max = 4, .min = -180.0, .max = 180.0,
        .scale = 8.381903175442434e-08, .print = 8.381903175442435, .special = "\"error\""},
    [6] = {KEY(type), .kind = K_ENUM, .flags = F_ZERO, .len_min = 1, .len_max = 1, .min = 1.0, .max = 4.0,
        .codes = codes_rvtaoi_6_type, .code_count = 4},
    [7] = {KEY(text), .kind = K_TEXT, .flags = F_ZERO, .len_max = 2048},
    [8] = {KEY(source_id), .kind = K_TEXT, .flags = F_ZERO, .len_max = 255},
    [9] = {KEY(label), .kind = K_TEXT, .flags = F_ZERO, .len_max = 16},
    [10] = {KEY(operation_id), .kind = K_TEXT, .flags = F_ZERO, .len_max = 127},
};
static const char key_data_type[KEY_PADDED] = "\"data_type\":";
static const struct code codes_bits_rvtuserdefined_1_data_type[] = {
    {.code = 0, .label = "\"String\""},
    {.code = 1, .label = "\"Signed Integer\""},
    {.code = 2, .label = "\"Unsigned Integer\""},
    {.code = 3, .label = "\"Experimental\""},
};
static const char key_id[KEY_PADDED] = "\"id\":";
static const struct bits bits_rvtuserdefined_1[] = {
    {.shift = 6, .width = 2, .key = key_data_type, .codes = codes_bits_rvtuserdefined_1_data_type, .code_count = 4},
    {.shift = 0, .width = 6, .key = key_id},
};
static const char key_numeric_id[KEY_PADDED] = "\"numeric_id\":";
static const char key_user_data[KEY_PADDED] = "\"user_data\":";
static const struct item items_rvtuserdefined[3] = {
    [1] = {KEY(numeric_id), .kind = K_BITS, .flags = F_ZERO, .len_min = 1, .len_max = 1, .bits = bits_rvtuserdefined_1,
        .code_count = 2},
    [2] = {KEY(user_data), .kind = K_USER_DATA, .flags = F_ZERO, .place = PLACE_INSIDE},
};
static const char key_document_version[KEY_PADDED] = "\"document_version\":";
static const char key_compression_method[KEY_PADDED] = "\"compression_method\":";
static const struct code codes_bits_st1002_12_compression_method[] = {
    {.code = 0, .label = "\"No Compression\""},
    {.code = 1, .label = "\"Planar Fit\""},
};
static const struct code codes_bits_st1002_12_data_type[] = {
    {.code = 0, .label = "\"Perspective Range Image\""},
    {.code = 1, .label = "\"Depth Range Image\""},
};
static const struct code codes_bits_st1002_12_source[] = {
    {.code = 0, .label = "\"Computationally Extracted\""},
    {.code = 1, .label = "\"Range Sensor\""},
};
static const struct bits bits_st1002_12[] = {
    {.shift = 0, .width = 3, .key = key_compression_method, .codes = codes_bits_st1002_12_compression_method,
        .code_count = 2},
    {.shift = 3, .width = 3, .key = key_data_type, .codes = codes_bits_st1002_12_data_type, .code_count = 2},
    {.shift = 6, .width = 1, .key = key_source, .codes = codes_bits_st1002_12_source, .code_count = 2},
};
static const char key_range_image_enumerations[KEY_PADDED] = "\"range_image_enumerations\":";
static const char key_sprm[KEY_PADDED] = "\"sprm\":";
static const char key_sprm_uncertainty[KEY_PADDED] = "\"sprm_uncertainty\":";
static const char key_sprm_row_coordinate[KEY_PADDED] = "\"sprm_row_coordinate\":";
static const char key_sprm_column_coordinate[KEY_PADDED] = "\"sprm_column_coordinate\":";
static const char key_number_of_sections_in_x[KEY_PADDED] = "\"number_of_sections_in_x\":";
static const char key_number_of_sections_in_y[KEY_PADDED] = "\"number_of_sections_in_y\":";
static const char key_generalized_transformation[KEY_PADDED] = "\"generalized_transformation\":";
static const char key_section_x_length[KEY_PADDED] = "\"section_x_length\":";
static const char key_section_x[KEY_PADDED] = "\"section_x\":";
static const char key_section_y_length[KEY_PADDED] = "\"section_y_length\":";
static const char key_section_y[KEY_PADDED] = "\"section_y\":";
static const char key_ranges_length[KEY_PADDED] = "\"ranges_length\":";
static const char key_ranges[KEY_PADDED] = "\"ranges\":";
static const char key_uncertainty_length[KEY_PADDED] = "\"uncertainty_length\":";
static const char key_uncertainty[KEY_PADDED] = "\"uncertainty\":";
static const char key_plane_a_length[KEY_PADDED] = "\"plane_a_length\":";
static const char key_plane_a[KEY_PADDED] = "\"plane_a\":";
static const char key_plane_b_length[KEY_PADDED] = "\"plane_b_length\":";
static const char key_plane_b[KEY_PADDED] = "\"plane_b\":";
static const char key_plane_c_length[KEY_PADDED] = "\"plane_c_length\":";
static const char key_plane_c[KEY_PADDED] = "\"plane_c\":";
static const struct element elements_sectiondata[] = {
    {.op = P_GROUP, .item = {KEY(section_x_length), .kind = K_UINT, .flags = F_ZERO, .cells = C_FLOAT}},
    {.op = P_OID, .item = {KEY(section_x), .kind = K_UINT, .flags = F_ZERO, .cells = C_FLOAT, .min = 1.0}},
    {.op = P_GROUP, .item = {KEY(section_y_length), .kind = K_UINT, .flags = F_ZERO, .cells = C_FLOAT}},
    {.op = P_OID, .item = {KEY(section_y), .kind = K_UINT, .flags = F_ZERO, .cells = C_FLOAT, .min = 1.0}},
    {.op = P_GROUP, .item = {KEY(ranges_length), .kind = K_UINT, .flags = F_ZERO, .cells = C_FLOAT}},
    {.op = P_REST, .item = {KEY(ranges), .kind = K_ARRAY, .flags = F_ZERO, .cells = C_FLOAT}},
    {.op = P_GROUP, .item = {KEY(uncertainty_length), .kind = K_UINT, .flags = F_ZERO, .cells = C_FLOAT}},
    {.op = P_REST, .optional = 1, .item = {KEY(uncertainty), .kind = K_ARRAY, .flags = F_ZERO, .cells = C_FLOAT}},
    {.op = P_GROUP, .optional = 1, .item = {KEY(plane_a_length), .kind = K_UINT, .flags = F_ZERO, .cells = C_FLOAT}},
    {.op = P_REST, .optional = 1, .item = {KEY(plane_a), .kind = K_FLOAT, .flags = F_ZERO, .cells = C_FLOAT}},
    {.op = P_GROUP, .optional = 1, .item = {KEY(plane_b_length), .kind = K_UINT, .flags = F_ZERO, .cells = C_FLOAT}},
    {.op = P_REST, .optional = 1, .item = {KEY(plane_b), .kind = K_FLOAT, .flags = F_ZERO, .cells = C_FLOAT}},
    {.op = P_GROUP, .optional = 1, .item = {KEY(plane_c_length), .kind = K_UINT, .flags = F_ZERO, .cells = C_FLOAT}},
    {.op = P_REST, .optional = 1, .item = {KEY(plane_c), .kind = K_FLOAT, .flags = F_ZERO, .cells = C_FLOAT}},
};
static const struct pack pack_sectiondata = {.elements = elements_sectiondata, .count = 14};
static const char key_section_data_pack[KEY_PADDED] = "\"section_data_pack\":";
static const char key_crc16[KEY_PADDED] = "\"crc16\":";
static const struct item items_st1002[23] = {
    [1] = {KEY(precision_time_stamp), .kind = K_UINT, .flags = F_ZERO, .len_min = 8, .len_max = 8,
        .max = 1.8446744073709552e+19},
    [11] = {KEY(document_version), .kind = K_UINT, .flags = F_ZERO | F_OID, .len_min = 1},
    [12] = {KEY(range_image_enumerations), .kind = K_BITS, .flags = F_ZERO | F_OID, .len_min = 1, .len_max = 2,
        .bits = bits_st1002_12, .code_count = 3},
    [13] = {KEY(sprm), .kind = K_FLOAT, .flags = F_ZERO, .len_min = 4, .len_max = 8},
    [14] = {KEY(sprm_uncertainty), .kind = K_FLOAT, .flags = F_ZERO, .len_min = 4, .len_max = 8},
    [15] = {KEY(sprm_row_coordinate), .kind = K_FLOAT, .flags = F_ZERO, .len_min = 4, .len_max = 8},
    [16] = {KEY(sprm_column_coordinate), .kind = K_FLOAT, .flags = F_ZERO, .len_min = 4, .len_max = 8},
    [17] = {KEY(number_of_sections_in_x), .kind = K_UINT, .flags = F_ZERO | F_OID, .len_min = 1},
    [18] = {KEY(number_of_sections_in_y), .kind = K_UINT, .flags = F_ZERO | F_OID, .len_min = 1},
    [19] = {KEY(generalized_transformation), .kind = K_SET, .flags = F_ZERO, .place = PLACE_INSIDE, .set = &set_st1202},
    [20] = {KEY(section_data_pack), .kind = K_PACK, .flags = F_ZERO | F_REPEATS, .cells = C_FLOAT,
        .pack = &pack_sectiondata},
    [21] = {KEY(crc16), .kind = K_UINT, .len_min = 2, .len_max = 2, .max = 65535.0},
    [22] = {KEY(leap_seconds), .kind = K_INT, .flags = F_ZERO, .len_min = 1, .len_max = 4},
};
static const char key_sensor_ecef_position_component_x[KEY_PADDED] = "\"sensor_ecef_position_component_x\":";
static const char key_sensor_ecef_position_component_y[KEY_PADDED] = "\"sensor_ecef_position_component_y\":";
static const char key_sensor_ecef_position_component_z[KEY_PADDED] = "\"sensor_ecef_position_component_z\":";
static const char key_sensor_ecef_velocity_component_x[KEY_PADDED] = "\"sensor_ecef_velocity_component_x\":";
static const char key_sensor_ecef_velocity_component_y[KEY_PADDED] = "\"sensor_ecef_velocity_component_y\":";
static const char key_sensor_ecef_velocity_component_z[KEY_PADDED] = "\"sensor_ecef_velocity_component_z\":";
static const char key_sensor_absolute_azimuth[KEY_PADDED] = "\"sensor_absolute_azimuth\":";
static const char key_sensor_absolute_pitch[KEY_PADDED] = "\"sensor_absolute_pitch\":";
static const char key_sensor_absolute_roll[KEY_PADDED] = "\"sensor_absolute_roll\":";
static const char key_sensor_absolute_azimuth_rate[KEY_PADDED] = "\"sensor_absolute_azimuth_rate\":";
static const char key_sensor_absolute_pitch_rate[KEY_PADDED] = "\"sensor_absolute_pitch_rate\":";
static const char key_sensor_absolute_roll_rate[KEY_PADDED] = "\"sensor_absolute_roll_rate\":";
static const char key_boresight_offset_delta_x[KEY_PADDED] = "\"boresight_offset_delta_x\":";
static const char key_boresight_offset_delta_y[KEY_PADDED] = "\"boresight_offset_delta_y\":";
static const char key_boresight_offset_delta_z[KEY_PADDED] = "\"boresight_offset_delta_z\":";
static const char key_boresight_delta_angle_1[KEY_PADDED] = "\"boresight_delta_angle_1\":";
static const char key_boresight_delta_angle_2[KEY_PADDED] = "\"boresight_delta_angle_2\":";
static const char key_boresight_delta_angle_3[KEY_PADDED] = "\"boresight_delta_angle_3\":";
static const char key_focal_plane_principal_point_offset_y[KEY_PADDED] = "\"focal_plane_principal_point_offset_y\":";
static const char key_focal_plane_principal_point_offset_x[KEY_PADDED] = "\"focal_plane_principal_point_offset_x\":";
static const char key_sensor_calibrated_effective_focal_length[KEY_PADDED] =
    "\"sensor_calibrated_effective_focal_length\":";
static const char key_radial_distortion_constant[KEY_PADDED] = "\"radial_distortion_constant\":";
static const char key_radial_distortion_parameter_1[KEY_PADDED] = "\"radial_distortion_parameter_1\":";
static const char key_radial_distortion_parameter_2[KEY_PADDED] = "\"radial_distortion_parameter_2\":";
static const char key_radial_distortion_parameter_3[KEY_PADDED] = "\"radial_distortion_parameter_3\":";
static const char key_tangential_decentering_parameter_1[KEY_PADDED] = "\"tangential_decentering_parameter_1\":";
static const char key_tangential_decentering_parameter_2[KEY_PADDED] = "\"tangential_decentering_parameter_2\":";
static const char key_tangential_decentering_parameter_3[KEY_PADDED] = "\"tangential_decentering_parameter_3\":";
static const char key_differential_scale_affine_parameter[KEY_PADDED] = "\"differential_scale_affine_parameter\":";
static const char key_skewness_affine_parameter[KEY_PADDED] = "\"skewness_affine_parameter\":";
static const char key_generalized_transformation_local_set[KEY_PADDED] = "\"generalized_transformation_local_set\":";
static const char key_image_rows[KEY_PADDED] = "\"image_rows\":";
static const char key_image_columns[KEY_PADDED] = "\"image_columns\":";
static const char key_pixel_size_x[KEY_PADDED] = "\"pixel_size_x\":";
static const char key_pixel_size_y[KEY_PADDED] = "\"pixel_size_y\":";
static const struct code codes_st1107_38_slant_range_pedigree[] = {
    {.code = 0, .label = "\"Other\""},
    {.code = 1, .label = "\"Measured\""},
    {.code = 2, .label = "\"Calculated\""},
};
static const char key_slant_range_pedigree[KEY_PADDED] = "\"slant_range_pedigree\":";
static const char key_line_coordinate[KEY_PADDED] = "\"line_coordinate\":";
static const char key_sample_coordinate[KEY_PADDED] = "\"sample_coordinate\":";
static const char key_lrf_divergence[KEY_PADDED] = "\"lrf_divergence\":";
static const char key_radial_distortion_valid_range[KEY_PADDED] = "\"radial_distortion_valid_range\":";
static const char key_precision_timestamp[KEY_PADDED] = "\"precision_timestamp\":";
static const char key_sensor_calibrated_effective_focal_length_extended[KEY_PADDED] =
    "\"sensor_calibrated_effective_focal_length_extended\":";
static const struct item items_st1107[48] = {
    [1] = {KEY(sensor_ecef_position_component_x), .kind = K_IMAPB, .flags = F_ZERO, .range_power = 31,
        .place = PLACE_INSIDE, .len_min = 1, .len_max = 8, .min = -1000000000.0, .max = 1000000000.0},
    [2] = {KEY(sensor_ecef_position_component_y), .kind = K_IMAPB, .flags = F_ZERO, .range_power = 31,
        .place = PLACE_INSIDE, .len_min = 1, .len_max = 8, .min = -1000000000.0, .max = 1000000000.0},
    [3] = {KEY(sensor_ecef_position_component_z), .kind = K_IMAPB, .flags = F_ZERO, .range_power = 31,
        .place = PLACE_INSIDE, .len_min = 1, .len_max = 8, .min = -1000000000.0, .max = 1000000000.0},
    [4] = {KEY(sensor_ecef_velocity_component_x), .kind = K_IMAPB, .flags = F_ZERO, .range_power = 16, .len_min = 1,
        .len_max = 8, .min = -25000.0, .max = 25000.0},
    [5] = {KEY(sensor_ecef_velocity_component_y), .kind = K_IMAPB, .flags = F_ZERO, .range_power = 16, .len_min = 1,
        .len_max = 8, .min = -25000.0, .max = 25000.0},
    [6] = {KEY(sensor_ecef_velocity_component_z), .kind = K_IMAPB, .flags = F_ZERO, .range_power = 16, .len_min = 1,
        .len_max = 8, .min = -25000.0, .max = 25000.0},
    [7] = {KEY(sensor_absolute_azimuth), .kind = K_IMAPB, .flags = F_ZERO, .range_power = 1, .len_min = 1, .len_max = 8,
        .max = 2.0},
    [8] = {KEY(sensor_absolute_pitch), .kind = K_IMAPB, .flags = F_ZERO, .range_power = 1, .len_min = 1, .len_max = 8,
        .min = -1.0, .max = 1.0},
    [9] = {KEY(sensor_absolute_roll), .kind = K_IMAPB, .flags = F_ZERO, .range_power = 1, .len_min = 1, .len_max = 8,
        .min = -1.0, .max = 1.0},
    [10] = {KEY(sensor_absolute_azimuth_rate), .kind = K_IMAPB, .flags = F_ZERO, .range_power = 1, .len_min = 1,
        .len_max = 8, .min = -1.0, .max = 1.0},
    [11] = {KEY(sensor_absolute_pitch_rate), .kind = K_IMAPB, .flags = F_ZERO, .range_power = 1, .len_min = 1,
        .len_max = 8, .min = -1.0, .max = 1.0},
    [12] = {KEY(sensor_absolute_roll_rate), .kind = K_IMAPB, .flags = F_ZERO, .range_power = 1, .len_min = 1,
        .len_max = 8, .min = -1.0, .max = 1.0},
    [13] = {KEY(boresight_offset_delta_x), .kind = K_IMAPB, .flags = F_ZERO, .range_power = 10, .len_min = 1,
        .len_max = 8, .min = -300.0, .max = 300.0},
    [14] = {KEY(boresight_offset_delta_y), .kind = K_IMAPB, .flags = F_ZERO, .range_power = 10, .len_min = 1,
        .len_max = 8, .min = -300.0, .max = 300.0},
    [15] = {KEY(boresight_offset_delta_z), .kind = K_IMAPB, .flags = F_ZERO, .range_power = 10, .len_min = 1,
        .len_max = 8, .min = -300.0, .max = 300.0},
    [16] = {KEY(boresight_delta_angle_1), .kind = K_IMAPB, .flags = F_ZERO, .range_power = -1, .len_min = 1,
        .len_max = 8, .min = -0.25, .max = 0.25},
    [17] = {KEY(boresight_delta_angle_2), .kind = K_IMAPB, .flags = F_ZERO, .range_power = -1, .len_min = 1,
        .len_max = 8, .min = -0.25, .max = 0.25},
    [18] = {KEY(boresight_delta_angle_3), .kind = K_IMAPB, .flags = F_ZERO, .range_power = -1, .len_min = 1,
        .len_max = 8, .min = -0.25, .max = 0.25},
    [19] = {KEY(focal_plane_principal_point_offset_y), .kind = K_IMAPB, .flags = F_ZERO, .range_power = 6, .len_min = 1,
        .len_max = 8, .min = -25.0, .max = 25.0},
    [20] = {KEY(focal_plane_principal_point_offset_x), .kind = K_IMAPB, .flags = F_ZERO, .range_power = 6, .len_min = 1,
        .len_max = 8, .min = -25.0, .max = 25.0},
    [21] = {KEY(sensor_calibrated_effective_focal_length), .kind = K_IMAPB, .flags = F_ZERO, .range_power = 14,
        .len_min = 1, .len_max = 8, .max = 10000.0},
    [22] = {KEY(radial_distortion_constant), .kind = K_FLOAT, .flags = F_ZERO, .len_min = 4, .len_max = 8},
    [23] = {KEY(radial_distortion_parameter_1), .kind = K_FLOAT, .flags = F_ZERO, .len_min = 4, .len_max = 8},
    [24] = {KEY(radial_distortion_parameter_2), .kind = K_FLOAT, .flags = F_ZERO, .len_min = 4, .len_max = 8},
    [25] = {KEY(radial_distortion_parameter_3), .kind = K_FLOAT, .flags = F_ZERO, .len_min = 4, .len_max = 8},
    [26] = {KEY(tangential_decentering_parameter_1), .kind = K_FLOAT, .flags = F_ZERO, .len_min = 4, .len_max = 8},
    [27] = {KEY(tangential_decentering_parameter_2), .kind = K_FLOAT, .flags = F_ZERO, .len_min = 4, .len_max = 8},
    [28] = {KEY(tangential_decentering_parameter_3), .kind = K_FLOAT, .flags = F_ZERO, .len_min = 4, .len_max = 8},
    [29] = {KEY(differential_scale_affine_parameter), .kind = K_FLOAT, .flags = F_ZERO, .len_min = 4, .len_max = 8},
    [30] = {KEY(skewness_affine_parameter), .kind = K_FLOAT, .flags = F_ZERO, .len_min = 4, .len_max = 8},
    [31] = {KEY(slant_range), .kind = K_FLOAT, .flags = F_ZERO, .len_min = 4, .len_max = 8},
    [32] = {KEY(sdcc_flp), .kind = K_SDCC, .flags = F_ZERO | F_REPEATS, .len_min = 2},
    [33] = {KEY(generalized_transformation_local_set), .kind = K_SET, .flags = F_ZERO | F_REPEATS,
        .place = PLACE_INSIDE, .set = &set_st1202},
    [34] = {KEY(image_rows), .kind = K_UINT, .flags = F_ZERO, .len_min = 2, .len_max = 2, .max = 65535.0},
    [35] = {KEY(image_columns), .kind = K_UINT, .flags = F_ZERO, .len_min = 2, .len_max = 2, .max = 65535.0},
    [36] = {KEY(pixel_size_x), .kind = K_IMAPB, .flags = F_ZERO, .range_power = -3, .len_min = 1, .len_max = 8,
        .min = 0.0001, .max = 0.1},
    [37] = {KEY(pixel_size_y), .kind = K_IMAPB, .flags = F_ZERO, .range_power = -3, .len_min = 1, .len_max = 8,
        .min = 0.0001, .max = 0.1},
    [38] = {KEY(slant_range_pedigree), .kind = K_ENUM, .flags = F_ZERO, .len_min = 1, .len_max = 1, .max = 255.0,
        .codes = codes_st1107_38_slant_range_pedigree, .code_count = 3},
    [39] = {KEY(line_coordinate), .kind = K_FLOAT, .flags = F_ZERO, .len_min = 4, .len_max = 8},
    [40] = {KEY(sample_coordinate), .kind = K_FLOAT, .flags = F_ZERO, .len_min = 4, .len_max = 8},
    [41] = {KEY(lrf_divergence), .kind = K_FLOAT, .flags = F_ZERO, .len_min = 4, .len_max = 8},
    [42] = {KEY(radial_distortion_valid_range), .kind = K_FLOAT, .flags = F_ZERO, .len_min = 4, .len_max = 8},
    [43] = {KEY(precision_timestamp), .kind = K_UINT, .flags = F_ZERO, .len_min = 8, .len_max = 8,
        .max = 1.8446744073709552e+19},
    [44] = {KEY(document_version), .kind = K_UINT, .flags = F_ZERO | F_OID, .len_min = 1},
    [45] = {KEY(checksum), .kind = K_UINT, .len_min = 2, .len_max = 2, .max = 65535.0},
    [46] = {KEY(leap_seconds), .kind = K_INT, .flags = F_ZERO, .len_min = 1, .len_max = 4},
    [47] = {KEY(sensor_calibrated_effective_focal_length_extended), .kind = K_IMAPB, .flags = F_ZERO, .range_power = 17,
        .len_min = 1, .len_max = 8, .max = 100000.0},
};
static const struct code codes_st1108_1_assessment_point[] = {
    {.code = 0, .label = "\"Undefined\""},
    {.code = 1, .label = "\"Sensor\""},
    {.code = 2, .label = "\"Sensor Encoder\""},
    {.code = 3, .label = "\"GCS Received\""},
    {.code = 4, .label = "\"GCS Transmit\""},
    {.code = 5, .label = "\"Library/Archive\""},
};
static const char key_assessment_point[KEY_PADDED] = "\"assessment_point\":";
static const char key_start_time[KEY_PADDED] = "\"start_time\":";
static const char key_time_offset[KEY_PADDED] = "\"time_offset\":";
static const struct element elements_metricperiod[] = {
    {.op = P_FIX, .item = {KEY(start_time), .kind = K_UINT, .flags = F_ZERO, .len_min = 8, .len_max = 8,
        .max = 1.8446744073709552e+19}},
    {.op = P_FIX, .item = {KEY(time_offset), .kind = K_UINT, .flags = F_ZERO, .len_min = 4, .len_max = 4,
        .max = 4294967295.0}},
};
static const struct pack pack_metricperiod = {.elements = elements_metricperiod, .count = 2};
static const char key_metric_period_pack[KEY_PADDED] = "\"metric_period_pack\":";
static const char key_start_row[KEY_PADDED] = "\"start_row\":";
static const char key_start_column[KEY_PADDED] = "\"start_column\":";
static const char key_end_row[KEY_PADDED] = "\"end_row\":";
static const char key_end_column[KEY_PADDED] = "\"end_column\":";
static const struct element elements_windowcorners[] = {
    {.op = P_OID, .item = {KEY(start_row), .kind = K_UINT, .flags = F_ZERO}},
    {.op = P_OID, .item = {KEY(start_column), .kind = K_UINT, .flags = F_ZERO}},
    {.op = P_OID, .item = {KEY(end_row), .kind = K_UINT, .flags = F_ZERO}},
    {.op = P_OID, .item = {KEY(end_column), .kind = K_UINT, .flags = F_ZERO}},
};
static const struct pack pack_windowcorners = {.elements = elements_windowcorners, .count = 4};
static const char key_window_corners_pack[KEY_PADDED] = "\"window_corners_pack\":";
static const char key_metric_local_set[KEY_PADDED] = "\"metric_local_set\":";
static const struct code codes_st1108_5_compression_type[] = {
    {.code = 0, .label = "\"Uncompressed\""},
    {.code = 1, .label = "\"H.262\""},
    {.code = 2, .label = "\"H.264\""},
    {.code = 3, .label = "\"H.265\""},
    {.code = 4, .label = "\"JPEG2000\""},
};
static const char key_compression_type[KEY_PADDED] = "\"compression_type\":";
static const struct code codes_st1108_6_compression_profile[] = {
    {.code = 0, .label = "\"Uncompressed\""},
    {.code = 1, .label = "\"Main\""},
    {.code = 2, .label = "\"Main 10\""},
    {.code = 3, .label = "\"Constrained Baseline\""},
    {.code = 4, .label = "\"High\""},
    {.code = 5, .label = "\"Main 4:2:2 12\""},
    {.code = 6, .label = "\"Main 4:4:4 12\""},
    {.code = 7, .label = "\"High 4:2:2\""},
    {.code = 8, .label = "\"High 4:4:4 Predictive\""},
};
static const char key_compression_profile[KEY_PADDED] = "\"compression_profile\":";
static const char key_compression_level[KEY_PADDED] = "\"compression_level\":";
static const char key_compression_ratio[KEY_PADDED] = "\"compression_ratio\":";
static const char key_stream_bitrate[KEY_PADDED] = "\"stream_bitrate\":";
static const struct item items_st1108[12] = {
    [1] = {KEY(assessment_point), .kind = K_ENUM, .flags = F_ZERO, .len_min = 1, .len_max = 1, .max = 5.0,
        .codes = codes_st1108_1_assessment_point, .code_count = 6},
    [2] = {KEY(metric_period_pack), .kind = K_PACK, .flags = F_ZERO, .len_min = 12, .len_max = 12,
        .pack = &pack_metricperiod},
    [3] = {KEY(window_corners_pack), .kind = K_PACK, .flags = F_ZERO, .len_min = 4, .pack = &pack_windowcorners},
    [4] = {KEY(metric_local_set), .kind = K_SET, .flags = F_ZERO | F_REPEATS, .place = PLACE_INSIDE,
        .set = &set_st1108metric},
    [5] = {KEY(compression_type), .kind = K_ENUM, .flags = F_ZERO, .len_min = 1, .len_max = 1, .max = 4.0,
        .codes = codes_st1108_5_compression_type, .code_count = 5},
    [6] = {KEY(compression_profile), .kind = K_ENUM, .flags = F_ZERO, .len_min = 1, .len_max = 1, .max = 8.0,
        .codes = codes_st1108_6_compression_profile, .code_count = 9},
    [7] = {KEY(compression_level), .kind = K_TEXT, .flags = F_ZERO},
    [8] = {KEY(compression_ratio), .kind = K_FLOAT, .flags = F_ZERO, .len_min = 4, .len_max = 8},
    [9] = {KEY(stream_bitrate), .kind = K_UINT, .flags = F_ZERO, .len_min = 1, .len_max = 4},
    [10] = {KEY(document_version), .kind = K_UINT, .flags = F_ZERO, .len_min = 1, .len_max = 1, .max = 255.0},
    [11] = {KEY(crc16), .kind = K_UINT, .len_min = 2, .len_max = 2, .max = 65535.0},
};
static const char key_metric_name[KEY_PADDED] = "\"metric_name\":";
static const char key_metric_version[KEY_PADDED] = "\"metric_version\":";
static const char key_metric_implementer[KEY_PADDED] = "\"metric_implementer\":";
static const char key_metric_parameters[KEY_PADDED] = "\"metric_parameters\":";
static const char key_metric_time[KEY_PADDED] = "\"metric_time\":";
static const char key_metric_value[KEY_PADDED] = "\"metric_value\":";
static const struct item items_st1108metric[7] = {
    [1] = {KEY(metric_name), .kind = K_TEXT, .flags = F_ZERO},
    [2] = {KEY(metric_version), .kind = K_TEXT, .flags = F_ZERO},
    [3] = {KEY(metric_implementer), .kind = K_TEXT, .flags = F_ZERO},
    [4] = {KEY(metric_parameters), .kind = K_TEXT, .flags = F_ZERO},
    [5] = {KEY(metric_time), .kind = K_UINT, .flags = F_ZERO, .len_min = 8, .len_max = 8,
        .max = 1.8446744073709552e+19},
    [6] = {KEY(metric_value), .kind = K_FLOAT, .flags = F_ZERO, .len_min = 4, .len_max = 8},
};
static const char key_x_equation_numerator_x_factor[KEY_PADDED] = "\"x_equation_numerator_x_factor\":";
static const char key_x_equation_numerator_y_factor[KEY_PADDED] = "\"x_equation_numerator_y_factor\":";
static const char key_x_equation_numerator_constant_factor[KEY_PADDED] = "\"x_equation_numerator_constant_factor\":";
static const char key_y_equation_numerator_x_factor[KEY_PADDED] = "\"y_equation_numerator_x_factor\":";
static const char key_y_equation_numerator_y_factor[KEY_PADDED] = "\"y_equation_numerator_y_factor\":";
static const char key_y_equation_numerator_constant_factor[KEY_PADDED] = "\"y_equation_numerator_constant_factor\":";
static const char key_denominator_x_factor[KEY_PADDED] = "\"denominator_x_factor\":";
static const char key_denominator_y_factor[KEY_PADDED] = "\"denominator_y_factor\":";
static const struct code codes_st1202_11_transformation_type[] = {
    {.code = 0, .label = "\"No Defined Transformation\""},
    {.code = 1, .label = "\"Chipping\""},
    {.code = 2, .label = "\"Child-Parent\""},
    {.code = 3, .label = "\"Default Pixel-to-Image\""},
    {.code = 4, .label = "\"Optical\""},
};
static const char key_transformation_type[KEY_PADDED] = "\"transformation_type\":";
static const struct item items_st1202[12] = {
    [1] = {KEY(x_equation_numerator_x_factor), .kind = K_FLOAT, .flags = F_ZERO, .len_min = 4, .len_max = 8},
    [2] = {KEY(x_equation_numerator_y_factor), .kind = K_FLOAT, .flags = F_ZERO, .len_min = 4, .len_max = 8},
    [3] = {KEY(x_equation_numerator_constant_factor), .kind = K_FLOAT, .flags = F_ZERO, .len_min = 4, .len_max = 8},
    [4] = {KEY(y_equation_numerator_x_factor), .kind = K_FLOAT, .flags = F_ZERO, .len_min = 4, .len_max = 8},
    [5] = {KEY(y_equation_numerator_y_factor), .kind = K_FLOAT, .flags = F_ZERO, .len_min = 4, .len_max = 8},
    [6] = {KEY(y_equation_numerator_constant_factor), .kind = K_FLOAT, .flags = F_ZERO, .len_min = 4, .len_max = 8},
    [7] = {KEY(denominator_x_factor), .kind = K_FLOAT, .flags = F_ZERO, .len_min = 4, .len_max = 8},
    [8] = {KEY(denominator_y_factor), .kind = K_FLOAT, .flags = F_ZERO, .len_min = 4, .len_max = 8},
    [9] = {KEY(sdcc_flp), .kind = K_SDCC, .flags = F_ZERO | F_REPEATS, .len_min = 2},
    [10] = {KEY(document_version), .kind = K_UINT, .flags = F_ZERO, .len_min = 1, .len_max = 1, .max = 255.0},
    [11] = {KEY(transformation_type), .kind = K_ENUM, .flags = F_ZERO, .len_min = 1, .len_max = 1, .max = 4.0,
        .codes = codes_st1202_11_transformation_type, .code_count = 5},
};
static const char key_grazing_angle[KEY_PADDED] = "\"grazing_angle\":";
static const char key_ground_plane_squint_angle[KEY_PADDED] = "\"ground_plane_squint_angle\":";
static const struct code codes_st1206_3_look_direction[] = {
    {.code = 0, .label = "\"Left\""},
    {.code = 1, .label = "\"Right\""},
};
static const char key_look_direction[KEY_PADDED] = "\"look_direction\":";
static const struct code codes_st1206_4_image_plane[] = {
    {.code = 0, .label = "\"Slant\""},
    {.code = 1, .label = "\"Ground\""},
    {.code = 2, .label = "\"Other\""},
};
static const char key_image_plane[KEY_PADDED] = "\"image_plane\":";
static const char key_range_resolution[KEY_PADDED] = "\"range_resolution\":";
static const char key_cross_range_resolution[KEY_PADDED] = "\"cross_range_resolution\":";
static const char key_range_image_plane_pixel_size[KEY_PADDED] = "\"range_image_plane_pixel_size\":";
static const char key_cross_range_image_plane_pixel_size[KEY_PADDED] = "\"cross_range_image_plane_pixel_size\":";
static const char key_range_direction_angle[KEY_PADDED] = "\"range_direction_angle\":";
static const char key_true_north_direction[KEY_PADDED] = "\"true_north_direction\":";
static const char key_range_layover_angle[KEY_PADDED] = "\"range_layover_angle\":";
static const char key_ground_aperture_angular_extent[KEY_PADDED] = "\"ground_aperture_angular_extent\":";
static const char key_aperture_duration[KEY_PADDED] = "\"aperture_duration\":";
static const char key_ground_track_angle[KEY_PADDED] = "\"ground_track_angle\":";
static const char key_minimum_detectable_velocity[KEY_PADDED] = "\"minimum_detectable_velocity\":";
static const char key_true_pulse_repetition_frequency[KEY_PADDED] = "\"true_pulse_repetition_frequency\":";
static const char key_pulse_repetition_frequency_scale_factor[KEY_PADDED] =
    "\"pulse_repetition_frequency_scale_factor\":";
static const char key_transmit_rf_center_frequency[KEY_PADDED] = "\"transmit_rf_center_frequency\":";
static const char key_transmit_rf_bandwidth[KEY_PADDED] = "\"transmit_rf_bandwidth\":";
static const char key_radar_cross_section_scale_factor_polynomial[KEY_PADDED] =
    "\"radar_cross_section_scale_factor_polynomial\":";
static const char key_reference_frame_precision_time_stamp[KEY_PADDED] = "\"reference_frame_precision_time_stamp\":";
static const char key_reference_frame_grazing_angle[KEY_PADDED] = "\"reference_frame_grazing_angle\":";
static const char key_reference_frame_ground_plane_squint_angle[KEY_PADDED] =
    "\"reference_frame_ground_plane_squint_angle\":";
static const char key_reference_frame_range_direction_angle[KEY_PADDED] = "\"reference_frame_range_direction_angle\":";
static const char key_reference_frame_range_layover_angle[KEY_PADDED] = "\"reference_frame_range_layover_angle\":";
static const struct item items_st1206[29] = {
    [1] = {KEY(grazing_angle), .kind = K_IMAPB, .flags = F_ZERO, .range_power = 7, .len_min = 2, .len_max = 2,
        .max = 90.0},
    [2] = {KEY(ground_plane_squint_angle), .kind = K_IMAPB, .flags = F_ZERO, .range_power = 8, .len_min = 2,
        .len_max = 2, .min = -90.0, .max = 90.0},
    [3] = {KEY(look_direction), .kind = K_ENUM, .flags = F_ZERO, .len_min = 1, .len_max = 1, .max = 1.0,
        .codes = codes_st1206_3_look_direction, .code_count = 2},
    [4] = {KEY(image_plane), .kind = K_ENUM, .flags = F_ZERO, .len_min = 1, .len_max = 1, .max = 2.0,
        .codes = codes_st1206_4_image_plane, .code_count = 3},
    [5] = {KEY(range_resolution), .kind = K_IMAPB, .flags = F_ZERO, .range_power = 20, .len_min = 4, .len_max = 4,
        .max = 1000000.0},
    [6] = {KEY(cross_range_resolution), .kind = K_IMAPB, .flags = F_ZERO, .range_power = 20, .len_min = 4, .len_max = 4,
        .max = 1000000.0},
    [7] = {KEY(range_image_plane_pixel_size), .kind = K_IMAPB, .flags = F_ZERO, .range_power = 20, .len_min = 4,
        .len_max = 4, .max = 1000000.0},
    [8] = {KEY(cross_range_image_plane_pixel_size), .kind = K_IMAPB, .flags = F_ZERO, .range_power = 20, .len_min = 4,
        .len_max = 4, .max = 1000000.0},
    [9] = {KEY(image_rows), .kind = K_UINT, .flags = F_ZERO, .len_min = 2, .len_max = 2, .max = 65535.0},
    [10] = {KEY(image_columns), .kind = K_UINT, .flags = F_ZERO, .len_min = 2, .len_max = 2, .max = 65535.0},
    [11] = {KEY(range_direction_angle), .kind = K_IMAPB, .flags = F_ZERO, .range_power = 9, .len_min = 2, .len_max = 2,
        .max = 360.0},
    [12] = {KEY(true_north_direction), .kind = K_IMAPB, .flags = F_ZERO, .range_power = 9, .len_min = 2, .len_max = 2,
        .max = 360.0},
    [13] = {KEY(range_layover_angle), .kind = K_IMAPB, .flags = F_ZERO, .range_power = 9, .len_min = 2, .len_max = 2,
        .max = 360.0},
    [14] = {KEY(ground_aperture_angular_extent), .kind = K_IMAPB, .flags = F_ZERO, .range_power = 7, .len_min = 2,
        .len_max = 2, .max = 90.0},
    [15] = {KEY(aperture_duration), .kind = K_UINT, .flags = F_ZERO, .len_min = 4, .len_max = 4, .max = 4294967295.0},
    [16] = {KEY(ground_track_angle), .kind = K_IMAPB, .flags = F_ZERO, .range_power = 9, .len_min = 2, .len_max = 2,
        .max = 360.0},
    [17] = {KEY(minimum_detectable_velocity), .kind = K_IMAPB, .flags = F_ZERO, .range_power = 7, .len_min = 2,
        .len_max = 2, .max = 100.0},
    [18] = {KEY(true_pulse_repetition_frequency), .kind = K_IMAPB, .flags = F_ZERO, .range_power = 20, .len_min = 4,
        .len_max = 4, .max = 1000000.0},
    [19] = {KEY(pulse_repetition_frequency_scale_factor), .kind = K_IMAPB, .flags = F_ZERO, .len_min = 2, .len_max = 2,
        .max = 1.0},
    [20] = {KEY(transmit_rf_center_frequency), .kind = K_IMAPB, .flags = F_ZERO, .range_power = 40, .len_min = 4,
        .len_max = 4, .max = 1000000000000.0},
    [21] = {KEY(transmit_rf_bandwidth), .kind = K_IMAPB, .flags = F_ZERO, .range_power = 37, .len_min = 4, .len_max = 4,
        .max = 100000000000.0},
    [22] = {KEY(radar_cross_section_scale_factor_polynomial), .kind = K_ARRAY, .flags = F_ZERO, .cells = C_FLOAT,
        .place = PLACE_INSIDE},
    [23] = {KEY(reference_frame_precision_time_stamp), .kind = K_UINT, .flags = F_ZERO, .len_min = 8, .len_max = 8,
        .max = 1.8446744073709552e+19},
    [24] = {KEY(reference_frame_grazing_angle), .kind = K_IMAPB, .flags = F_ZERO, .range_power = 7, .len_min = 2,
        .len_max = 2, .max = 90.0},
    [25] = {KEY(reference_frame_ground_plane_squint_angle), .kind = K_IMAPB, .flags = F_ZERO, .range_power = 8,
        .len_min = 2, .len_max = 2, .min = -90.0, .max = 90.0},
    [26] = {KEY(reference_frame_range_direction_angle), .kind = K_IMAPB, .flags = F_ZERO, .range_power = 9,
        .len_min = 2, .len_max = 2, .max = 360.0},
    [27] = {KEY(reference_frame_range_layover_angle), .kind = K_IMAPB, .flags = F_ZERO, .range_power = 9, .len_min = 2,
        .len_max = 2, .max = 360.0},
    [28] = {KEY(document_version), .kind = K_UINT, .flags = F_ZERO, .len_min = 1, .len_max = 1, .max = 255.0},
};
static const char key_algorithm_name[KEY_PADDED] = "\"algorithm_name\":";
static const char key_algorithm_version[KEY_PADDED] = "\"algorithm_version\":";
static const char key_correspondence_points_row_column[KEY_PADDED] = "\"correspondence_points_row_column\":";
static const char key_correspondence_points_lat_lon[KEY_PADDED] = "\"correspondence_points_lat_lon\":";
static const char key_second_image_name[KEY_PADDED] = "\"second_image_name\":";
static const char key_algorithm_configuration_identifier[KEY_PADDED] = "\"algorithm_configuration_identifier\":";
static const char key_correspondence_points_elevation[KEY_PADDED] = "\"correspondence_points_elevation\":";
static const char key_sdcc_row_column[KEY_PADDED] = "\"sdcc_row_column\":";
static const char key_sdcc_lat_lon_elevation[KEY_PADDED] = "\"sdcc_lat_lon_elevation\":";
static const struct item items_st1601[11] = {
    [1] = {KEY(document_version), .kind = K_UINT, .flags = F_ZERO, .len_min = 1},
    [2] = {KEY(algorithm_name), .kind = K_TEXT, .flags = F_ZERO},
    [3] = {KEY(algorithm_version), .kind = K_TEXT, .flags = F_ZERO},
    [4] = {KEY(correspondence_points_row_column), .kind = K_ARRAY, .flags = F_ZERO, .cells = C_UINT,
        .place = PLACE_INSIDE},
    [5] = {KEY(correspondence_points_lat_lon), .kind = K_ARRAY, .flags = F_ZERO, .cells = C_FLOAT,
        .place = PLACE_INSIDE},
    [6] = {KEY(second_image_name), .kind = K_TEXT, .flags = F_ZERO},
    [7] = {KEY(algorithm_configuration_identifier), .kind = K_UUID, .flags = F_ZERO, .len_min = 16, .len_max = 16},
    [8] = {KEY(correspondence_points_elevation), .kind = K_ARRAY, .flags = F_ZERO, .cells = C_FLOAT,
        .place = PLACE_INSIDE},
    [9] = {KEY(sdcc_row_column), .kind = K_ARRAY, .flags = F_ZERO, .cells = C_PIXEL_SDCC, .place = PLACE_INSIDE},
    [10] = {KEY(sdcc_lat_lon_elevation), .kind = K_ARRAY, .flags = F_ZERO, .cells = C_PLACE_SDCC,
        .place = PLACE_INSIDE},
};
static const char key_source_image_rows[KEY_PADDED] = "\"source_image_rows\":";
static const char key_source_image_columns[KEY_PADDED] = "\"source_image_columns\":";
static const char key_source_image_aoi_rows[KEY_PADDED] = "\"source_image_aoi_rows\":";
static const char key_source_image_aoi_columns[KEY_PADDED] = "\"source_image_aoi_columns\":";
static const char key_source_image_aoi_position_x[KEY_PADDED] = "\"source_image_aoi_position_x\":";
static const char key_source_image_aoi_position_y[KEY_PADDED] = "\"source_image_aoi_position_y\":";
static const char key_sub_image_rows[KEY_PADDED] = "\"sub_image_rows\":";
static const char key_sub_image_columns[KEY_PADDED] = "\"sub_image_columns\":";
static const char key_sub_image_position_x[KEY_PADDED] = "\"sub_image_position_x\":";
static const char key_sub_image_position_y[KEY_PADDED] = "\"sub_image_position_y\":";
static const char key_active_sub_image_rows[KEY_PADDED] = "\"active_sub_image_rows\":";
static const char key_active_sub_image_columns[KEY_PADDED] = "\"active_sub_image_columns\":";
static const char key_active_sub_image_offset_x[KEY_PADDED] = "\"active_sub_image_offset_x\":";
static const char key_active_sub_image_offset_y[KEY_PADDED] = "\"active_sub_image_offset_y\":";
static const char key_transparency[KEY_PADDED] = "\"transparency\":";
static const char key_z_order[KEY_PADDED] = "\"z_order\":";
static const struct item items_st1602[19] = {
    [1] = {KEY(precision_time_stamp), .kind = K_UINT, .flags = F_ZERO, .len_min = 8, .len_max = 8,
        .max = 1.8446744073709552e+19},
    [2] = {KEY(document_version), .kind = K_UINT, .flags = F_ZERO | F_OID, .len_min = 1},
    [3] = {KEY(source_image_rows), .kind = K_UINT, .flags = F_ZERO, .len_min = 1, .len_max = 4},
    [4] = {KEY(source_image_columns), .kind = K_UINT, .flags = F_ZERO, .len_min = 1, .len_max = 4},
    [5] = {KEY(source_image_aoi_rows), .kind = K_UINT, .flags = F_ZERO, .len_min = 1, .len_max = 4},
    [6] = {KEY(source_image_aoi_columns), .kind = K_UINT, .flags = F_ZERO, .len_min = 1, .len_max = 4},
    [7] = {KEY(source_image_aoi_position_x), .kind = K_INT, .flags = F_ZERO, .len_min = 1, .len_max = 4},
    [8] = {KEY(source_image_aoi_position_y), .kind = K_INT, .flags = F_ZERO, .len_min = 1, .len_max = 4},
    [9] = {KEY(sub_image_rows), .kind = K_UINT, .flags = F_ZERO, .len_min = 1, .len_max = 4},
    [10] = {KEY(sub_image_columns), .kind = K_UINT, .flags = F_ZERO, .len_min = 1, .len_max = 4},
    [11] = {KEY(sub_image_position_x), .kind = K_INT, .flags = F_ZERO, .len_min = 1, .len_max = 4},
    [12] = {KEY(sub_image_position_y), .kind = K_INT, .flags = F_ZERO, .len_min = 1, .len_max = 4},
    [13] = {KEY(active_sub_image_rows), .kind = K_UINT, .flags = F_ZERO, .len_min = 1, .len_max = 4},
    [14] = {KEY(active_sub_image_columns), .kind = K_UINT, .flags = F_ZERO, .len_min = 1, .len_max = 4},
    [15] = {KEY(active_sub_image_offset_x), .kind = K_INT, .flags = F_ZERO, .len_min = 1, .len_max = 4},
    [16] = {KEY(active_sub_image_offset_y), .kind = K_INT, .flags = F_ZERO, .len_min = 1, .len_max = 4},
    [17] = {KEY(transparency), .kind = K_UINT, .flags = F_ZERO, .len_min = 1, .len_max = 1, .max = 255.0},
    [18] = {KEY(z_order), .kind = K_UINT, .flags = F_ZERO, .len_min = 1, .len_max = 1, .max = 255.0},
};
static const char key_sensor_roll_angle[KEY_PADDED] = "\"sensor_roll_angle\":";
static const char key_angle_to_north[KEY_PADDED] = "\"angle_to_north\":";
static const char key_obliquity_angle[KEY_PADDED] = "\"obliquity_angle\":";
static const char key_start_date_time_utc[KEY_PADDED] = "\"start_date_time_utc\":";
static const char key_array[KEY_PADDED] = "\"array\":";

static const struct set set_st0601 = {.name = "ST0601", .key = {0x06, 0x0e, 0x2b, 0x34, 0x02, 0x0b, 0x01, 0x01, 0x0e,
    0x01, 0x03, 0x01, 0x01, 0x00, 0x00, 0x00}, .sum = SUM_16, .sum_tag = 1, .time_tag = 2, .version_tag = 65,
    .tags = 144, .items = items_st0601};
static const struct set set_st0102 = {.name = "ST0102", .key = {0x06, 0x0e, 0x2b, 0x34, 0x02, 0x03, 0x01, 0x01, 0x0e,
    0x01, 0x03, 0x03, 0x02, 0x00, 0x00, 0x00}, .tags = 25, .items = items_st0102};
static const struct set set_st0903 = {.name = "ST0903", .key = {0x06, 0x0e, 0x2b, 0x34, 0x02, 0x0b, 0x01, 0x01, 0x0e,
    0x01, 0x03, 0x03, 0x06, 0x00, 0x00, 0x00}, .sum = SUM_16, .sum_tag = 1, .time_tag = 2, .vmti_tag = 4, .tags = 104,
    .items = items_st0903};
static const struct set set_vtarget = {.name = "VTarget", .tags = 108, .items = items_vtarget};
static const struct set set_vtrackitem = {.name = "VTrackItem", .tags = 107, .items = items_vtrackitem};
static const struct set set_vmask = {.name = "VMask", .tags = 3, .items = items_vmask};
static const struct set set_vobject = {.name = "VObject", .tags = 6, .items = items_vobject};
static const struct set set_vfeature = {.name = "VFeature", .tags = 5, .items = items_vfeature};
static const struct set set_vtracker = {.name = "VTracker", .tags = 13, .items = items_vtracker};
static const struct set set_vchip = {.name = "VChip", .tags = 4, .items = items_vchip};
static const struct set set_algorithm = {.name = "Algorithm", .tags = 6, .items = items_algorithm};
static const struct set set_ontology = {.name = "Ontology", .tags = 7, .items = items_ontology};
static const struct set set_st0806 = {.name = "ST0806", .key = {0x06, 0x0e, 0x2b, 0x34, 0x02, 0x0b, 0x01, 0x01, 0x0e,
    0x01, 0x03, 0x01, 0x02, 0x00, 0x00, 0x00}, .sum = SUM_CRC32, .sum_tag = 1, .time_tag = 2, .tags = 22,
    .items = items_st0806};
static const struct set set_rvtpoi = {.name = "RvtPoi", .key = {0x06, 0x0e, 0x2b, 0x34, 0x02, 0x0b, 0x01, 0x01, 0x0e,
    0x01, 0x03, 0x01, 0x0c, 0x00, 0x00, 0x00}, .tags = 11, .items = items_rvtpoi};
static const struct set set_rvtaoi = {.name = "RvtAoi", .key = {0x06, 0x0e, 0x2b, 0x34, 0x02, 0x0b, 0x01, 0x01, 0x0e,
    0x01, 0x03, 0x01, 0x0d, 0x00, 0x00, 0x00}, .tags = 11, .items = items_rvtaoi};
static const struct set set_rvtuserdefined = {.name = "RvtUserDefined", .key = {0x06, 0x0e, 0x2b, 0x34, 0x02, 0x0b,
    0x01, 0x01, 0x0e, 0x01, 0x03, 0x01, 0x0f, 0x00, 0x00, 0x00}, .tags = 3, .items = items_rvtuserdefined};
static const struct set set_st1002 = {.name = "ST1002", .key = {0x06, 0x0e, 0x2b, 0x34, 0x02, 0x0b, 0x01, 0x01, 0x0e,
    0x01, 0x03, 0x03, 0x0c, 0x00, 0x00, 0x00}, .sum = SUM_CRC16, .sum_tag = 21, .time_tag = 1, .tags = 23,
    .items = items_st1002};
static const struct set set_st1108metric = {.name = "ST1108Metric", .key = {0x06, 0x0e, 0x2b, 0x34, 0x02, 0x03, 0x01,
    0x01, 0x0e, 0x01, 0x05, 0x01, 0x00, 0x00, 0x00, 0x00}, .tags = 7, .items = items_st1108metric};
static const struct set set_st1202 = {.name = "ST1202", .key = {0x06, 0x0e, 0x2b, 0x34, 0x02, 0x0b, 0x01, 0x01, 0x0e,
    0x01, 0x03, 0x05, 0x05, 0x00, 0x00, 0x00}, .tags = 12, .items = items_st1202};
static const struct set set_st1206 = {.name = "ST1206", .key = {0x06, 0x0e, 0x2b, 0x34, 0x02, 0x0b, 0x01, 0x01, 0x0e,
    0x01, 0x03, 0x03, 0x0d, 0x00, 0x00, 0x00}, .tags = 29, .items = items_st1206};
static const struct set set_st1601 = {.name = "ST1601", .key = {0x06, 0x0e, 0x2b, 0x34, 0x02, 0x0b, 0x01, 0x01, 0x0e,
    0x01, 0x03, 0x03, 0x01, 0x00, 0x00, 0x00}, .tags = 11, .items = items_st1601};
static const struct set set_st1602 = {.name = "ST1602", .key = {0x06, 0x0e, 0x2b, 0x34, 0x02, 0x0b, 0x01, 0x01, 0x0e,
    0x01, 0x03, 0x03, 0x02, 0x00, 0x00, 0x00}, .time_tag = 1, .tags = 19, .items = items_st1602};

const struct set klv_sets[] = {
    {.name = "unknown", .universal = U_WHOLE},
    {.name = "ST0601", .key = {0x06, 0x0e, 0x2b, 0x34, 0x02, 0x0b, 0x01, 0x01, 0x0e, 0x01, 0x03, 0x01, 0x01, 0x00, 0x00,
        0x00}, .sum = SUM_16, .sum_tag = 1, .time_tag = 2, .version_tag = 65, .tags = 144, .items = items_st0601},
    {.name = "ST0102", .key = {0x06, 0x0e, 0x2b, 0x34, 0x02, 0x03, 0x01, 0x01, 0x0e, 0x01, 0x03, 0x03, 0x02, 0x00, 0x00,
        0x00}, .tags = 25, .items = items_st0102},
    {.name = "ST0102-US", .key = {0x06, 0x0e, 0x2b, 0x34, 0x02, 0x01, 0x01, 0x01, 0x02, 0x08, 0x02, 0x00, 0x00, 0x00,
        0x00, 0x00}, .universal = U_SET},
    {.name = "ST0104", .key = {0x06, 0x0e, 0x2b, 0x34, 0x02, 0x01, 0x01, 0x01, 0x0e, 0x01, 0x01, 0x02, 0x01, 0x01, 0x00,
        0x00}, .universal = U_SET, .time_tag = 2},
    {.name = "ST0806", .key = {0x06, 0x0e, 0x2b, 0x34, 0x02, 0x0b, 0x01, 0x01, 0x0e, 0x01, 0x03, 0x01, 0x02, 0x00, 0x00,
        0x00}, .sum = SUM_CRC32, .sum_tag = 1, .time_tag = 2, .tags = 22, .items = items_st0806},
    {.name = "RvtPoi", .key = {0x06, 0x0e, 0x2b, 0x34, 0x02, 0x0b, 0x01, 0x01, 0x0e, 0x01, 0x03, 0x01, 0x0c, 0x00, 0x00,
        0x00}, .tags = 11, .items = items_rvtpoi},
    {.name = "RvtAoi", .key = {0x06, 0x0e, 0x2b, 0x34, 0x02, 0x0b, 0x01, 0x01, 0x0e, 0x01, 0x03, 0x01, 0x0d, 0x00, 0x00,
        0x00}, .tags = 11, .items = items_rvtaoi},
    {.name = "RvtUserDefined", .key = {0x06, 0x0e, 0x2b, 0x34, 0x02, 0x0b, 0x01, 0x01, 0x0e, 0x01, 0x03, 0x01, 0x0f,
        0x00, 0x00, 0x00}, .tags = 3, .items = items_rvtuserdefined},
    {.name = "ST0808", .key = {0x06, 0x0e, 0x2b, 0x34, 0x02, 0x03, 0x01, 0x01, 0x0e, 0x01, 0x03, 0x05, 0x02, 0x00, 0x00,
        0x00}},
    {.name = "ST0903", .key = {0x06, 0x0e, 0x2b, 0x34, 0x02, 0x0b, 0x01, 0x01, 0x0e, 0x01, 0x03, 0x03, 0x06, 0x00, 0x00,
        0x00}, .sum = SUM_16, .sum_tag = 1, .time_tag = 2, .vmti_tag = 4, .tags = 104, .items = items_st0903},
    {.name = "VTrack", .key = {0x06, 0x0e, 0x2b, 0x34, 0x02, 0x03, 0x01, 0x01, 0x0e, 0x01, 0x03, 0x03, 0x1e, 0x00, 0x00,
        0x00}, .sum = SUM_16, .sum_tag = 1, .time_tag = 2, .tags = 104, .items = items_vtrack},
    {.name = "ST1002", .key = {0x06, 0x0e, 0x2b, 0x34, 0x02, 0x0b, 0x01, 0x01, 0x0e, 0x01, 0x03, 0x03, 0x0c, 0x00, 0x00,
        0x00}, .sum = SUM_CRC16, .sum_tag = 21, .time_tag = 1, .tags = 23, .items = items_st1002},
    {.name = "ST1010", .key = {0x06, 0x0e, 0x2b, 0x34, 0x02, 0x05, 0x01, 0x01, 0x0e, 0x01, 0x03, 0x03, 0x21, 0x00, 0x00,
        0x00}, .universal = U_WHOLE},
    {.name = "ST1107", .key = {0x06, 0x0e, 0x2b, 0x34, 0x02, 0x0b, 0x01, 0x01, 0x0e, 0x01, 0x03, 0x03, 0x22, 0x00, 0x00,
        0x00}, .sum = SUM_CRC16, .sum_tag = 45, .time_tag = 43, .tags = 48, .items = items_st1107},
    {.name = "ST1108", .key = {0x06, 0x0e, 0x2b, 0x34, 0x02, 0x03, 0x01, 0x01, 0x0e, 0x01, 0x03, 0x03, 0x1c, 0x00, 0x00,
        0x00}, .sum = SUM_CRC16, .sum_tag = 11, .tags = 12, .items = items_st1108},
    {.name = "ST1108Metric", .key = {0x06, 0x0e, 0x2b, 0x34, 0x02, 0x03, 0x01, 0x01, 0x0e, 0x01, 0x05, 0x01, 0x00, 0x00,
        0x00, 0x00}, .tags = 7, .items = items_st1108metric},
    {.name = "ST1202", .key = {0x06, 0x0e, 0x2b, 0x34, 0x02, 0x0b, 0x01, 0x01, 0x0e, 0x01, 0x03, 0x05, 0x05, 0x00, 0x00,
        0x00}, .tags = 12, .items = items_st1202},
    {.name = "ST1204", .key = {0x06, 0x0e, 0x2b, 0x34, 0x01, 0x01, 0x01, 0x01, 0x0e, 0x01, 0x04, 0x05, 0x03, 0x00, 0x00,
        0x00}, .universal = U_WHOLE},
    {.name = "ST1206", .key = {0x06, 0x0e, 0x2b, 0x34, 0x02, 0x0b, 0x01, 0x01, 0x0e, 0x01, 0x03, 0x03, 0x0d, 0x00, 0x00,
        0x00}, .tags = 29, .items = items_st1206},
    {.name = "ST1303", .key = {0x06, 0x0e, 0x2b, 0x34, 0x02, 0x05, 0x01, 0x01, 0x0e, 0x01, 0x03, 0x03, 0x06, 0x00, 0x00,
        0x00}, .universal = U_WHOLE},
    {.name = "ST1601", .key = {0x06, 0x0e, 0x2b, 0x34, 0x02, 0x0b, 0x01, 0x01, 0x0e, 0x01, 0x03, 0x03, 0x01, 0x00, 0x00,
        0x00}, .tags = 11, .items = items_st1601},
    {.name = "ST1602", .key = {0x06, 0x0e, 0x2b, 0x34, 0x02, 0x0b, 0x01, 0x01, 0x0e, 0x01, 0x03, 0x03, 0x02, 0x00, 0x00,
        0x00}, .time_tag = 1, .tags = 19, .items = items_st1602},
    {.name = "ST1902", .key = {0x06, 0x0e, 0x2b, 0x34, 0x02, 0x05, 0x01, 0x01, 0x0e, 0x01, 0x05, 0x03, 0x00, 0x00, 0x00,
        0x00}},
};
const int klv_set_count = 24;
const struct set *const klv_st0601 = &klv_sets[1];

const struct keyed klv_keyed[] = {
    {.key = {0x06, 0x0e, 0x2b, 0x34, 0x01, 0x01, 0x01, 0x01, 0x01, 0x20, 0x01, 0x00, 0x00, 0x00, 0x00}, .tag = 10,
        .item = {KEY(platform_designation), .kind = K_TEXT, .flags = F_ZERO}},
    {.key = {0x06, 0x0e, 0x2b, 0x34, 0x01, 0x01, 0x01, 0x01, 0x03, 0x04, 0x02, 0x00, 0x00, 0x00, 0x00},
        .item = {KEY(stream_id), .kind = K_UINT, .flags = F_ZERO, .len_min = 1, .len_max = 1, .max = 255.0}},
    {.key = {0x06, 0x0e, 0x2b, 0x34, 0x01, 0x01, 0x01, 0x01, 0x03, 0x04, 0x03, 0x00, 0x00, 0x00, 0x00},
        .item = {KEY(transport_stream_id), .kind = K_UINT, .flags = F_ZERO, .len_min = 2, .len_max = 2,
        .max = 65535.0}},
    {.key = {0x06, 0x0e, 0x2b, 0x34, 0x01, 0x01, 0x01, 0x01, 0x03, 0x06, 0x01, 0x00, 0x00, 0x00, 0x00},
        .item = {KEY(item_designator_id), .kind = K_BYTES, .flags = F_ZERO, .place = PLACE_INSIDE, .len_min = 16,
        .len_max = 16}},
    {.key = {0x06, 0x0e, 0x2b, 0x34, 0x01, 0x01, 0x01, 0x01, 0x05, 0x05, 0x00, 0x00, 0x00, 0x00, 0x00}, .tag = 3,
        .item = {KEY(mission_id), .kind = K_TEXT, .flags = F_ZERO}},
    {.key = {0x06, 0x0e, 0x2b, 0x34, 0x01, 0x01, 0x01, 0x02, 0x08, 0x02, 0x01, 0x00, 0x00, 0x00, 0x00},
        .item = {KEY(security_classification), .kind = K_TEXT, .flags = F_ZERO}},
    {.key = {0x06, 0x0e, 0x2b, 0x34, 0x01, 0x01, 0x01, 0x02, 0x08, 0x02, 0x02, 0x00, 0x00, 0x00, 0x00},
        .item = {KEY(caveats), .kind = K_TEXT, .flags = F_ZERO}},
    {.key = {0x06, 0x0e, 0x2b, 0x34, 0x01, 0x01, 0x01, 0x02, 0x08, 0x02, 0x03, 0x00, 0x00, 0x00, 0x00},
        .item = {KEY(classified_by), .kind = K_TEXT, .flags = F_ZERO}},
    {.key = {0x06, 0x0e, 0x2b, 0x34, 0x01, 0x01, 0x01, 0x02, 0x08, 0x02, 0x04, 0x00, 0x00, 0x00, 0x00},
        .item = {KEY(classification_reason), .kind = K_TEXT, .flags = F_ZERO}},
    {.key = {0x06, 0x0e, 0x2b, 0x34, 0x01, 0x01, 0x01, 0x02, 0x08, 0x02, 0x05, 0x00, 0x00, 0x00, 0x00},
        .item = {KEY(declassification_date), .kind = K_TEXT, .flags = F_ZERO}},
    {.key = {0x06, 0x0e, 0x2b, 0x34, 0x01, 0x01, 0x01, 0x02, 0x08, 0x02, 0x06, 0x00, 0x00, 0x00, 0x00},
        .item = {KEY(derived_from), .kind = K_TEXT, .flags = F_ZERO}},
    {.key = {0x06, 0x0e, 0x2b, 0x34, 0x01, 0x01, 0x01, 0x02, 0x08, 0x02, 0x07, 0x00, 0x00, 0x00, 0x00},
        .item = {KEY(classification_comments), .kind = K_TEXT, .flags = F_ZERO}},
    {.key = {0x06, 0x0e, 0x2b, 0x34, 0x01, 0x01, 0x01, 0x02, 0x08, 0x02, 0x08, 0x00, 0x00, 0x00, 0x00},
        .item = {KEY(classification_and_marking_system), .kind = K_TEXT, .flags = F_ZERO}},
    {.key = {0x06, 0x0e, 0x2b, 0x34, 0x01, 0x01, 0x01, 0x04, 0x01, 0x0b, 0x01, 0x00, 0x00, 0x00, 0x00},
        .item = {KEY(digital_video_file_format), .kind = K_TEXT, .flags = F_ZERO, .len_max = 127}},
    {.key = {0x06, 0x0e, 0x2b, 0x34, 0x01, 0x01, 0x01, 0x04, 0x20, 0x01, 0x02, 0x01, 0x01, 0x00, 0x00}, .tag = 11,
        .item = {KEY(image_source_sensor), .kind = K_TEXT, .flags = F_ZERO}},
    {.key = {0x06, 0x0e, 0x2b, 0x34, 0x01, 0x01, 0x01, 0x04, 0x20, 0x02, 0x01, 0x01, 0x08, 0x00, 0x00}, .tag = 16,
        .item = {KEY(sensor_horizontal_field_of_view), .kind = K_FLOAT, .flags = F_ZERO, .len_min = 4, .len_max = 4}},
    {.key = {0x06, 0x0e, 0x2b, 0x34, 0x01, 0x01, 0x01, 0x04, 0x20, 0x02, 0x01, 0x01, 0x0a, 0x01, 0x00}, .tag = 17,
        .item = {KEY(sensor_vertical_field_of_view), .kind = K_FLOAT, .flags = F_ZERO, .len_min = 4, .len_max = 4}},
    {.key = {0x06, 0x0e, 0x2b, 0x34, 0x01, 0x01, 0x01, 0x07, 0x01, 0x01, 0x01, 0x00, 0x00, 0x00, 0x00}, .tag = 12,
        .item = {KEY(image_coordinate_system), .kind = K_TEXT, .flags = F_ZERO}},
    {.key = {0x06, 0x0e, 0x2b, 0x34, 0x01, 0x01, 0x01, 0x07, 0x01, 0x02, 0x01, 0x02, 0x02, 0x00, 0x00}, .tag = 15,
        .item = {KEY(sensor_true_altitude), .kind = K_FLOAT, .flags = F_ZERO, .len_min = 4, .len_max = 8}},
    {.key = {0x06, 0x0e, 0x2b, 0x34, 0x01, 0x01, 0x01, 0x07, 0x01, 0x02, 0x01, 0x02, 0x04, 0x02, 0x00}, .tag = 13,
        .item = {KEY(sensor_latitude), .kind = K_FLOAT, .flags = F_ZERO, .place = PLACE_INSIDE, .len_min = 8,
        .len_max = 8}},
    {.key = {0x06, 0x0e, 0x2b, 0x34, 0x01, 0x01, 0x01, 0x07, 0x01, 0x02, 0x01, 0x02, 0x06, 0x02, 0x00}, .tag = 14,
        .item = {KEY(sensor_longitude), .kind = K_FLOAT, .flags = F_ZERO, .place = PLACE_INSIDE, .len_min = 8,
        .len_max = 8}},
    {.key = {0x06, 0x0e, 0x2b, 0x34, 0x01, 0x01, 0x01, 0x07, 0x01, 0x02, 0x01, 0x03, 0x02, 0x00, 0x00}, .tag = 23,
        .item = {KEY(frame_center_latitude), .kind = K_FLOAT, .flags = F_ZERO, .place = PLACE_INSIDE, .len_min = 8,
        .len_max = 8}},
    {.key = {0x06, 0x0e, 0x2b, 0x34, 0x01, 0x01, 0x01, 0x07, 0x01, 0x02, 0x01, 0x03, 0x04, 0x00, 0x00}, .tag = 24,
        .item = {KEY(frame_center_longitude), .kind = K_FLOAT, .flags = F_ZERO, .place = PLACE_INSIDE, .len_min = 8,
        .len_max = 8}},
    {.key = {0x06, 0x0e, 0x2b, 0x34, 0x01, 0x01, 0x01, 0x07, 0x01, 0x02, 0x01, 0x03, 0x07, 0x01, 0x00}, .tag = 82,
        .item = {KEY(corner_latitude_point_1_full), .kind = K_FLOAT, .flags = F_ZERO, .place = PLACE_INSIDE,
        .len_min = 8, .len_max = 8}},
    {.key = {0x06, 0x0e, 0x2b, 0x34, 0x01, 0x01, 0x01, 0x07, 0x01, 0x02, 0x01, 0x03, 0x08, 0x01, 0x00}, .tag = 84,
        .item = {KEY(corner_latitude_point_2_full), .kind = K_FLOAT, .flags = F_ZERO, .place = PLACE_INSIDE,
        .len_min = 8, .len_max = 8}},
    {.key = {0x06, 0x0e, 0x2b, 0x34, 0x01, 0x01, 0x01, 0x07, 0x01, 0x02, 0x01, 0x03, 0x09, 0x01, 0x00}, .tag = 86,
        .item = {KEY(corner_latitude_point_3_full), .kind = K_FLOAT, .flags = F_ZERO, .place = PLACE_INSIDE,
        .len_min = 8, .len_max = 8}},
    {.key = {0x06, 0x0e, 0x2b, 0x34, 0x01, 0x01, 0x01, 0x07, 0x01, 0x02, 0x01, 0x03, 0x0a, 0x01, 0x00}, .tag = 88,
        .item = {KEY(corner_latitude_point_4_full), .kind = K_FLOAT, .flags = F_ZERO, .place = PLACE_INSIDE,
        .len_min = 8, .len_max = 8}},
    {.key = {0x06, 0x0e, 0x2b, 0x34, 0x01, 0x01, 0x01, 0x07, 0x01, 0x02, 0x01, 0x03, 0x0b, 0x01, 0x00}, .tag = 83,
        .item = {KEY(corner_longitude_point_1_full), .kind = K_FLOAT, .flags = F_ZERO, .place = PLACE_INSIDE,
        .len_min = 8, .len_max = 8}},
    {.key = {0x06, 0x0e, 0x2b, 0x34, 0x01, 0x01, 0x01, 0x07, 0x01, 0x02, 0x01, 0x03, 0x0c, 0x01, 0x00}, .tag = 85,
        .item = {KEY(corner_longitude_point_2_full), .kind = K_FLOAT, .flags = F_ZERO, .place = PLACE_INSIDE,
        .len_min = 8, .len_max = 8}},
    {.key = {0x06, 0x0e, 0x2b, 0x34, 0x01, 0x01, 0x01, 0x07, 0x01, 0x02, 0x01, 0x03, 0x0d, 0x01, 0x00}, .tag = 87,
        .item = {KEY(corner_longitude_point_3_full), .kind = K_FLOAT, .flags = F_ZERO, .place = PLACE_INSIDE,
        .len_min = 8, .len_max = 8}},
    {.key = {0x06, 0x0e, 0x2b, 0x34, 0x01, 0x01, 0x01, 0x07, 0x01, 0x02, 0x01, 0x03, 0x0e, 0x01, 0x00}, .tag = 89,
        .item = {KEY(corner_longitude_point_4_full), .kind = K_FLOAT, .flags = F_ZERO, .place = PLACE_INSIDE,
        .len_min = 8, .len_max = 8}},
    {.key = {0x06, 0x0e, 0x2b, 0x34, 0x01, 0x01, 0x01, 0x07, 0x01, 0x02, 0x01, 0x03, 0x16, 0x00, 0x00}, .tag = 25,
        .item = {KEY(frame_center_elevation), .kind = K_FLOAT, .flags = F_ZERO, .len_min = 4, .len_max = 8}},
    {.key = {0x06, 0x0e, 0x2b, 0x34, 0x01, 0x01, 0x01, 0x07, 0x01, 0x08, 0x01, 0x01, 0x00, 0x00, 0x00}, .tag = 21,
        .item = {KEY(slant_range), .kind = K_FLOAT, .flags = F_ZERO, .len_min = 4, .len_max = 8}},
    {.key = {0x06, 0x0e, 0x2b, 0x34, 0x01, 0x01, 0x01, 0x07, 0x01, 0x09, 0x02, 0x01, 0x00, 0x00, 0x00}, .tag = 22,
        .item = {KEY(target_width), .kind = K_FLOAT, .flags = F_ZERO, .len_min = 4, .len_max = 8}},
    {.key = {0x06, 0x0e, 0x2b, 0x34, 0x01, 0x01, 0x01, 0x07, 0x01, 0x10, 0x01, 0x01, 0x00, 0x00, 0x00},
        .item = {KEY(sensor_roll_angle), .kind = K_FLOAT, .flags = F_ZERO, .len_min = 4, .len_max = 4}},
    {.key = {0x06, 0x0e, 0x2b, 0x34, 0x01, 0x01, 0x01, 0x07, 0x01, 0x10, 0x01, 0x02, 0x00, 0x00, 0x00},
        .item = {KEY(angle_to_north), .kind = K_FLOAT, .flags = F_ZERO, .len_min = 4, .len_max = 4}},
    {.key = {0x06, 0x0e, 0x2b, 0x34, 0x01, 0x01, 0x01, 0x07, 0x01, 0x10, 0x01, 0x03, 0x00, 0x00, 0x00},
        .item = {KEY(obliquity_angle), .kind = K_FLOAT, .flags = F_ZERO, .len_min = 4, .len_max = 4}},
    {.key = {0x06, 0x0e, 0x2b, 0x34, 0x01, 0x01, 0x01, 0x07, 0x01, 0x10, 0x01, 0x04, 0x00, 0x00, 0x00}, .tag = 7,
        .item = {KEY(platform_roll_angle), .kind = K_FLOAT, .flags = F_ZERO, .len_min = 4, .len_max = 4}},
    {.key = {0x06, 0x0e, 0x2b, 0x34, 0x01, 0x01, 0x01, 0x07, 0x01, 0x10, 0x01, 0x05, 0x00, 0x00, 0x00}, .tag = 6,
        .item = {KEY(platform_pitch_angle), .kind = K_FLOAT, .flags = F_ZERO, .len_min = 4, .len_max = 4}},
    {.key = {0x06, 0x0e, 0x2b, 0x34, 0x01, 0x01, 0x01, 0x07, 0x01, 0x10, 0x01, 0x06, 0x00, 0x00, 0x00}, .tag = 5,
        .item = {KEY(platform_heading_angle), .kind = K_FLOAT, .flags = F_ZERO, .len_min = 4, .len_max = 4}},
    {.key = {0x06, 0x0e, 0x2b, 0x34, 0x01, 0x01, 0x01, 0x07, 0x01, 0x20, 0x01, 0x02, 0x01, 0x01, 0x00},
        .item = {KEY(object_country_codes), .kind = K_TEXT, .flags = F_ZERO}},
    {.key = {0x06, 0x0e, 0x2b, 0x34, 0x01, 0x01, 0x01, 0x07, 0x01, 0x20, 0x01, 0x02, 0x06, 0x00, 0x00},
        .item = {KEY(object_country_coding_method), .kind = K_TEXT, .flags = F_ZERO}},
    {.key = {0x06, 0x0e, 0x2b, 0x34, 0x01, 0x01, 0x01, 0x07, 0x01, 0x20, 0x01, 0x02, 0x07, 0x00, 0x00},
        .item = {KEY(country_coding_method), .kind = K_TEXT, .flags = F_ZERO}},
    {.key = {0x06, 0x0e, 0x2b, 0x34, 0x01, 0x01, 0x01, 0x07, 0x01, 0x20, 0x01, 0x02, 0x08, 0x00, 0x00},
        .item = {KEY(classifying_country), .kind = K_TEXT, .flags = F_ZERO}},
    {.key = {0x06, 0x0e, 0x2b, 0x34, 0x01, 0x01, 0x01, 0x07, 0x01, 0x20, 0x01, 0x02, 0x09, 0x00, 0x00},
        .item = {KEY(releasing_instructions), .kind = K_TEXT, .flags = F_ZERO}},
    {.key = {0x06, 0x0e, 0x2b, 0x34, 0x01, 0x01, 0x01, 0x07, 0x02, 0x01, 0x01, 0x01, 0x05, 0x00, 0x00}, .tag = 2,
        .item = {KEY(precision_time_stamp), .kind = K_UINT, .flags = F_ZERO | F_TIME, .len_min = 8, .len_max = 8}},
    {.key = {0x06, 0x0e, 0x2b, 0x34, 0x01, 0x01, 0x01, 0x07, 0x02, 0x01, 0x02, 0x01, 0x01, 0x00, 0x00},
        .item = {KEY(start_date_time_utc), .kind = K_TEXT, .flags = F_ZERO}},
    {.key = {0x06, 0x0e, 0x2b, 0x34, 0x01, 0x01, 0x01, 0x07, 0x02, 0x01, 0x02, 0x07, 0x01, 0x00, 0x00}, .tag = 72,
        .item = {KEY(event_start_time), .kind = K_DATE_TIME, .flags = F_ZERO}},
    {.key = {0x06, 0x0e, 0x2b, 0x34, 0x01, 0x01, 0x01, 0x0e, 0x01, 0x01, 0x01, 0x0a, 0x01, 0x00, 0x00},
        .item = {KEY(platform_true_airspeed), .kind = K_UINT, .flags = F_ZERO, .len_min = 2, .len_max = 2,
        .max = 65535.0}},
    {.key = {0x06, 0x0e, 0x2b, 0x34, 0x01, 0x01, 0x01, 0x0e, 0x01, 0x01, 0x01, 0x0b, 0x01, 0x00, 0x00},
        .item = {KEY(platform_indicated_airspeed), .kind = K_UINT, .flags = F_ZERO, .len_min = 2, .len_max = 2,
        .max = 65535.0}},
    {.key = {0x06, 0x0e, 0x2b, 0x34, 0x01, 0x01, 0x01, 0x0e, 0x01, 0x01, 0x01, 0x10, 0x00, 0x00, 0x00}, .tag = 103,
        .item = {KEY(density_altitude_extended), .kind = K_IMAPB, .flags = F_ZERO, .range_power = 16, .len_min = 1,
        .len_max = 8, .min = -900.0, .max = 40000.0}},
    {.key = {0x06, 0x0e, 0x2b, 0x34, 0x01, 0x01, 0x01, 0x0e, 0x01, 0x01, 0x01, 0x19, 0x00, 0x00, 0x00},
        .item = {KEY(video_data_rate), .kind = K_UINT, .flags = F_ZERO, .len_min = 4, .len_max = 4,
        .max = 4294967295.0}},
    {.key = {0x06, 0x0e, 0x2b, 0x34, 0x01, 0x01, 0x01, 0x0e, 0x01, 0x01, 0x03, 0x09, 0x00, 0x00, 0x00},
        .item = {KEY(frame_code), .kind = K_UINT, .flags = F_ZERO, .len_min = 4, .len_max = 4, .max = 4294967295.0}},
    {.key = {0x06, 0x0e, 0x2b, 0x34, 0x01, 0x01, 0x01, 0x0e, 0x01, 0x01, 0x03, 0x0a, 0x00, 0x00, 0x00},
        .item = {KEY(mgrs_zone), .kind = K_UINT, .flags = F_ZERO, .place = PLACE_INSIDE, .len_min = 1, .len_max = 1,
        .min = 1.0, .max = 60.0}},
    {.key = {0x06, 0x0e, 0x2b, 0x34, 0x01, 0x01, 0x01, 0x0e, 0x01, 0x01, 0x03, 0x0a, 0x01, 0x00, 0x00},
        .item = {KEY(frame_center_mgrs_zone), .kind = K_UINT, .flags = F_ZERO, .place = PLACE_INSIDE, .len_min = 1,
        .len_max = 1, .min = 1.0, .max = 60.0}},
    {.key = {0x06, 0x0e, 0x2b, 0x34, 0x01, 0x01, 0x01, 0x0e, 0x01, 0x01, 0x03, 0x0b, 0x00, 0x00, 0x00},
        .item = {KEY(mgrs_latitude_band_and_grid_square), .kind = K_TEXT, .flags = F_ZERO, .place = PLACE_INSIDE,
        .len_min = 3, .len_max = 3}},
    {.key = {0x06, 0x0e, 0x2b, 0x34, 0x01, 0x01, 0x01, 0x0e, 0x01, 0x01, 0x03, 0x0b, 0x01, 0x00, 0x00},
        .item = {KEY(frame_center_mgrs_latitude_band_and_grid_square), .kind = K_TEXT, .flags = F_ZERO,
        .place = PLACE_INSIDE, .len_min = 3, .len_max = 3}},
    {.key = {0x06, 0x0e, 0x2b, 0x34, 0x01, 0x01, 0x01, 0x0e, 0x01, 0x01, 0x03, 0x0c, 0x00, 0x00, 0x00},
        .item = {KEY(mgrs_easting), .kind = K_UINT, .flags = F_ZERO, .place = PLACE_INSIDE, .len_min = 3, .len_max = 3,
        .max = 99999.0}},
    {.key = {0x06, 0x0e, 0x2b, 0x34, 0x01, 0x01, 0x01, 0x0e, 0x01, 0x01, 0x03, 0x0c, 0x01, 0x00, 0x00},
        .item = {KEY(frame_center_mgrs_easting), .kind = K_UINT, .flags = F_ZERO, .place = PLACE_INSIDE, .len_min = 3,
        .len_max = 3, .max = 99999.0}},
    {.key = {0x06, 0x0e, 0x2b, 0x34, 0x01, 0x01, 0x01, 0x0e, 0x01, 0x01, 0x03, 0x0d, 0x00, 0x00, 0x00},
        .item = {KEY(mgrs_northing), .kind = K_UINT, .flags = F_ZERO, .place = PLACE_INSIDE, .len_min = 3, .len_max = 3,
        .max = 99999.0}},
    {.key = {0x06, 0x0e, 0x2b, 0x34, 0x01, 0x01, 0x01, 0x0e, 0x01, 0x01, 0x03, 0x0d, 0x01, 0x00, 0x00},
        .item = {KEY(frame_center_mgrs_northing), .kind = K_UINT, .flags = F_ZERO, .place = PLACE_INSIDE, .len_min = 3,
        .len_max = 3, .max = 99999.0}},
    {.key = {0x06, 0x0e, 0x2b, 0x34, 0x01, 0x01, 0x01, 0x0e, 0x01, 0x01, 0x03, 0x14, 0x00, 0x00, 0x00},
        .item = {KEY(telemetry_accuracy_indicator), .kind = K_UINT, .flags = F_ZERO, .len_min = 1, .len_max = 1,
        .max = 255.0}},
    {.key = {0x06, 0x0e, 0x2b, 0x34, 0x01, 0x01, 0x01, 0x0e, 0x01, 0x01, 0x03, 0x15, 0x00, 0x00, 0x00},
        .item = {KEY(frag_circle_radius), .kind = K_UINT, .flags = F_ZERO, .len_min = 2, .len_max = 2, .max = 65535.0}},
    {.key = {0x06, 0x0e, 0x2b, 0x34, 0x01, 0x01, 0x01, 0x0e, 0x01, 0x01, 0x03, 0x16, 0x00, 0x00, 0x00},
        .item = {KEY(number), .kind = K_UINT, .flags = F_ZERO, .len_min = 2, .len_max = 2, .max = 65535.0}},
    {.key = {0x06, 0x0e, 0x2b, 0x34, 0x01, 0x01, 0x01, 0x0e, 0x01, 0x01, 0x03, 0x17, 0x00, 0x00, 0x00},
        .item = {KEY(poi_latitude), .kind = K_LINEAR_INT, .flags = F_ZERO, .decimals = 8, .place = PLACE_LATITUDE,
        .len_min = 4, .len_max = 4, .min = -90.0, .max = 90.0, .scale = 4.190951587721217e-08,
        .print = 4.190951587721218, .special = "\"error\""}},
    {.key = {0x06, 0x0e, 0x2b, 0x34, 0x01, 0x01, 0x01, 0x0e, 0x01, 0x01, 0x03, 0x18, 0x00, 0x00, 0x00},
        .item = {KEY(poi_longitude), .kind = K_LINEAR_INT, .flags = F_ZERO, .decimals = 8, .place = PLACE_LONGITUDE,
        .len_min = 4, .len_max = 4, .min = -180.0, .max = 180.0, .scale = 8.381903175442434e-08,
        .print = 8.381903175442435, .special = "\"error\""}},
    {.key = {0x06, 0x0e, 0x2b, 0x34, 0x01, 0x01, 0x01, 0x0e, 0x01, 0x01, 0x03, 0x19, 0x00, 0x00, 0x00},
        .item = {KEY(poi_altitude), .kind = K_LINEAR_UINT, .flags = F_ZERO, .decimals = 1, .len_min = 2, .len_max = 2,
        .min = -900.0, .max = 19000.0, .scale = 0.30365453574425877, .print = 3.036545357442588}},
    {.key = {0x06, 0x0e, 0x2b, 0x34, 0x01, 0x01, 0x01, 0x0e, 0x01, 0x01, 0x03, 0x1a, 0x00, 0x00, 0x00},
        .item = {KEY(type), .kind = K_ENUM, .flags = F_ZERO, .len_min = 1, .len_max = 1, .min = 1.0, .max = 4.0,
        .codes = codes_rvtaoi_6_type, .code_count = 4}},
    {.key = {0x06, 0x0e, 0x2b, 0x34, 0x01, 0x01, 0x01, 0x0e, 0x01, 0x01, 0x03, 0x1b, 0x00, 0x00, 0x00},
        .item = {KEY(text), .kind = K_TEXT, .flags = F_ZERO, .len_max = 2048}},
    {.key = {0x06, 0x0e, 0x2b, 0x34, 0x01, 0x01, 0x01, 0x0e, 0x01, 0x01, 0x03, 0x1c, 0x00, 0x00, 0x00},
        .item = {KEY(poi_source_icon), .kind = K_TEXT, .flags = F_ZERO, .len_max = 127}},
    {.key = {0x06, 0x0e, 0x2b, 0x34, 0x01, 0x01, 0x01, 0x0e, 0x01, 0x01, 0x03, 0x1d, 0x00, 0x00, 0x00},
        .item = {KEY(source_id), .kind = K_TEXT, .flags = F_ZERO, .len_max = 255}},
    {.key = {0x06, 0x0e, 0x2b, 0x34, 0x01, 0x01, 0x01, 0x0e, 0x01, 0x01, 0x03, 0x1e, 0x00, 0x00, 0x00},
        .item = {KEY(label), .kind = K_TEXT, .flags = F_ZERO, .len_max = 16}},
    {.key = {0x06, 0x0e, 0x2b, 0x34, 0x01, 0x01, 0x01, 0x0e, 0x01, 0x01, 0x03, 0x3d, 0x00, 0x00, 0x00},
        .item = {KEY(grazing_angle), .kind = K_IMAPB, .flags = F_ZERO, .range_power = 7, .len_min = 2, .len_max = 2,
        .max = 90.0}},
    {.key = {0x06, 0x0e, 0x2b, 0x34, 0x01, 0x01, 0x01, 0x0e, 0x01, 0x01, 0x03, 0x3d, 0x01, 0x00, 0x00},
        .item = {KEY(ground_plane_squint_angle), .kind = K_IMAPB, .flags = F_ZERO, .range_power = 8, .len_min = 2,
        .len_max = 2, .min = -90.0, .max = 90.0}},
    {.key = {0x06, 0x0e, 0x2b, 0x34, 0x01, 0x01, 0x01, 0x0e, 0x01, 0x01, 0x03, 0x3d, 0x02, 0x00, 0x00},
        .item = {KEY(look_direction), .kind = K_ENUM, .flags = F_ZERO, .len_min = 1, .len_max = 1, .max = 1.0,
        .codes = codes_st1206_3_look_direction, .code_count = 2}},
    {.key = {0x06, 0x0e, 0x2b, 0x34, 0x01, 0x01, 0x01, 0x0e, 0x01, 0x01, 0x03, 0x3d, 0x03, 0x00, 0x00},
        .item = {KEY(image_plane), .kind = K_ENUM, .flags = F_ZERO, .len_min = 1, .len_max = 1, .max = 2.0,
        .codes = codes_st1206_4_image_plane, .code_count = 3}},
    {.key = {0x06, 0x0e, 0x2b, 0x34, 0x01, 0x01, 0x01, 0x0e, 0x01, 0x01, 0x03, 0x3d, 0x04, 0x00, 0x00},
        .item = {KEY(range_resolution), .kind = K_IMAPB, .flags = F_ZERO, .range_power = 20, .len_min = 4, .len_max = 4,
        .max = 1000000.0}},
    {.key = {0x06, 0x0e, 0x2b, 0x34, 0x01, 0x01, 0x01, 0x0e, 0x01, 0x01, 0x03, 0x3d, 0x05, 0x00, 0x00},
        .item = {KEY(cross_range_resolution), .kind = K_IMAPB, .flags = F_ZERO, .range_power = 20, .len_min = 4,
        .len_max = 4, .max = 1000000.0}},
    {.key = {0x06, 0x0e, 0x2b, 0x34, 0x01, 0x01, 0x01, 0x0e, 0x01, 0x01, 0x03, 0x3d, 0x06, 0x00, 0x00},
        .item = {KEY(range_image_plane_pixel_size), .kind = K_IMAPB, .flags = F_ZERO, .range_power = 20, .len_min = 4,
        .len_max = 4, .max = 1000000.0}},
    {.key = {0x06, 0x0e, 0x2b, 0x34, 0x01, 0x01, 0x01, 0x0e, 0x01, 0x01, 0x03, 0x3d, 0x07, 0x00, 0x00},
        .item = {KEY(cross_range_image_plane_pixel_size), .kind = K_IMAPB, .flags = F_ZERO, .range_power = 20,
        .len_min = 4, .len_max = 4, .max = 1000000.0}},
    {.key = {0x06, 0x0e, 0x2b, 0x34, 0x01, 0x01, 0x01, 0x0e, 0x01, 0x01, 0x03, 0x3d, 0x08, 0x00, 0x00},
        .item = {KEY(range_direction_angle), .kind = K_IMAPB, .flags = F_ZERO, .range_power = 9, .len_min = 2,
        .len_max = 2, .max = 360.0}},
    {.key = {0x06, 0x0e, 0x2b, 0x34, 0x01, 0x01, 0x01, 0x0e, 0x01, 0x01, 0x03, 0x3d, 0x09, 0x00, 0x00},
        .item = {KEY(true_north_direction), .kind = K_IMAPB, .flags = F_ZERO, .range_power = 9, .len_min = 2,
        .len_max = 2, .max = 360.0}},
    {.key = {0x06, 0x0e, 0x2b, 0x34, 0x01, 0x01, 0x01, 0x0e, 0x01, 0x01, 0x03, 0x3d, 0x0a, 0x00, 0x00},
        .item = {KEY(range_layover_angle), .kind = K_IMAPB, .flags = F_ZERO, .range_power = 9, .len_min = 2,
        .len_max = 2, .max = 360.0}},
    {.key = {0x06, 0x0e, 0x2b, 0x34, 0x01, 0x01, 0x01, 0x0e, 0x01, 0x01, 0x03, 0x3d, 0x0b, 0x00, 0x00},
        .item = {KEY(ground_aperture_angular_extent), .kind = K_IMAPB, .flags = F_ZERO, .range_power = 7, .len_min = 2,
        .len_max = 2, .max = 90.0}},
    {.key = {0x06, 0x0e, 0x2b, 0x34, 0x01, 0x01, 0x01, 0x0e, 0x01, 0x01, 0x03, 0x3d, 0x0c, 0x00, 0x00},
        .item = {KEY(aperture_duration), .kind = K_UINT, .flags = F_ZERO, .len_min = 4, .len_max = 4,
        .max = 4294967295.0}},
    {.key = {0x06, 0x0e, 0x2b, 0x34, 0x01, 0x01, 0x01, 0x0e, 0x01, 0x01, 0x03, 0x3d, 0x0d, 0x00, 0x00},
        .item = {KEY(ground_track_angle), .kind = K_IMAPB, .flags = F_ZERO, .range_power = 9, .len_min = 2,
        .len_max = 2, .max = 360.0}},
    {.key = {0x06, 0x0e, 0x2b, 0x34, 0x01, 0x01, 0x01, 0x0e, 0x01, 0x01, 0x03, 0x3d, 0x0e, 0x00, 0x00},
        .item = {KEY(minimum_detectable_velocity), .kind = K_IMAPB, .flags = F_ZERO, .range_power = 7, .len_min = 2,
        .len_max = 2, .max = 100.0}},
    {.key = {0x06, 0x0e, 0x2b, 0x34, 0x01, 0x01, 0x01, 0x0e, 0x01, 0x01, 0x03, 0x3d, 0x0f, 0x00, 0x00},
        .item = {KEY(true_pulse_repetition_frequency), .kind = K_IMAPB, .flags = F_ZERO, .range_power = 20,
        .len_min = 4, .len_max = 4, .max = 1000000.0}},
    {.key = {0x06, 0x0e, 0x2b, 0x34, 0x01, 0x01, 0x01, 0x0e, 0x01, 0x01, 0x03, 0x3d, 0x10, 0x00, 0x00},
        .item = {KEY(pulse_repetition_frequency_scale_factor), .kind = K_IMAPB, .flags = F_ZERO, .len_min = 2,
        .len_max = 2, .max = 1.0}},
    {.key = {0x06, 0x0e, 0x2b, 0x34, 0x01, 0x01, 0x01, 0x0e, 0x01, 0x01, 0x03, 0x3d, 0x11, 0x00, 0x00},
        .item = {KEY(transmit_rf_center_frequency), .kind = K_IMAPB, .flags = F_ZERO, .range_power = 40, .len_min = 4,
        .len_max = 4, .max = 1000000000000.0}},
    {.key = {0x06, 0x0e, 0x2b, 0x34, 0x01, 0x01, 0x01, 0x0e, 0x01, 0x01, 0x03, 0x3d, 0x12, 0x00, 0x00},
        .item = {KEY(transmit_rf_bandwidth), .kind = K_IMAPB, .flags = F_ZERO, .range_power = 37, .len_min = 4,
        .len_max = 4, .max = 100000000000.0}},
    {.key = {0x06, 0x0e, 0x2b, 0x34, 0x01, 0x01, 0x01, 0x0e, 0x01, 0x01, 0x03, 0x3d, 0x14, 0x00, 0x00},
        .item = {KEY(reference_frame_precision_time_stamp), .kind = K_UINT, .flags = F_ZERO, .len_min = 8, .len_max = 8,
        .max = 1.8446744073709552e+19}},
    {.key = {0x06, 0x0e, 0x2b, 0x34, 0x01, 0x01, 0x01, 0x0e, 0x01, 0x01, 0x03, 0x3d, 0x15, 0x00, 0x00},
        .item = {KEY(reference_frame_grazing_angle), .kind = K_IMAPB, .flags = F_ZERO, .range_power = 7, .len_min = 2,
        .len_max = 2, .max = 90.0}},
    {.key = {0x06, 0x0e, 0x2b, 0x34, 0x01, 0x01, 0x01, 0x0e, 0x01, 0x01, 0x03, 0x3d, 0x16, 0x00, 0x00},
        .item = {KEY(reference_frame_ground_plane_squint_angle), .kind = K_IMAPB, .flags = F_ZERO, .range_power = 8,
        .len_min = 2, .len_max = 2, .min = -90.0, .max = 90.0}},
    {.key = {0x06, 0x0e, 0x2b, 0x34, 0x01, 0x01, 0x01, 0x0e, 0x01, 0x01, 0x03, 0x3d, 0x17, 0x00, 0x00},
        .item = {KEY(reference_frame_range_direction_angle), .kind = K_IMAPB, .flags = F_ZERO, .range_power = 9,
        .len_min = 2, .len_max = 2, .max = 360.0}},
    {.key = {0x06, 0x0e, 0x2b, 0x34, 0x01, 0x01, 0x01, 0x0e, 0x01, 0x01, 0x03, 0x3d, 0x18, 0x00, 0x00},
        .item = {KEY(reference_frame_range_layover_angle), .kind = K_IMAPB, .flags = F_ZERO, .range_power = 9,
        .len_min = 2, .len_max = 2, .max = 360.0}},
    {.key = {0x06, 0x0e, 0x2b, 0x34, 0x01, 0x01, 0x01, 0x0e, 0x01, 0x01, 0x03, 0x3e, 0x00, 0x00, 0x00},
        .item = {KEY(number_of_sections_in_x), .kind = K_UINT, .flags = F_ZERO | F_OID, .len_min = 1}},
    {.key = {0x06, 0x0e, 0x2b, 0x34, 0x01, 0x01, 0x01, 0x0e, 0x01, 0x01, 0x03, 0x3e, 0x01, 0x00, 0x00},
        .item = {KEY(number_of_sections_in_y), .kind = K_UINT, .flags = F_ZERO | F_OID, .len_min = 1}},
    {.key = {0x06, 0x0e, 0x2b, 0x34, 0x01, 0x01, 0x01, 0x0e, 0x01, 0x01, 0x03, 0x3e, 0x04, 0x00, 0x00},
        .item = {KEY(sprm), .kind = K_FLOAT, .flags = F_ZERO, .len_min = 4, .len_max = 8}},
    {.key = {0x06, 0x0e, 0x2b, 0x34, 0x01, 0x01, 0x01, 0x0e, 0x01, 0x01, 0x03, 0x3e, 0x05, 0x00, 0x00},
        .item = {KEY(sprm_uncertainty), .kind = K_FLOAT, .flags = F_ZERO, .len_min = 4, .len_max = 8}},
    {.key = {0x06, 0x0e, 0x2b, 0x34, 0x01, 0x01, 0x01, 0x0e, 0x01, 0x01, 0x03, 0x40, 0x00, 0x00, 0x00},
        .item = {KEY(source_image_rows), .kind = K_UINT, .flags = F_ZERO, .len_min = 1, .len_max = 4}},
    {.key = {0x06, 0x0e, 0x2b, 0x34, 0x01, 0x01, 0x01, 0x0e, 0x01, 0x01, 0x03, 0x40, 0x10, 0x00, 0x00},
        .item = {KEY(source_image_columns), .kind = K_UINT, .flags = F_ZERO, .len_min = 1, .len_max = 4}},
    {.key = {0x06, 0x0e, 0x2b, 0x34, 0x01, 0x01, 0x01, 0x0e, 0x01, 0x01, 0x03, 0x40, 0x20, 0x00, 0x00},
        .item = {KEY(sub_image_rows), .kind = K_UINT, .flags = F_ZERO, .len_min = 1, .len_max = 4}},
    {.key = {0x06, 0x0e, 0x2b, 0x34, 0x01, 0x01, 0x01, 0x0e, 0x01, 0x01, 0x03, 0x40, 0x30, 0x00, 0x00},
        .item = {KEY(sub_image_columns), .kind = K_UINT, .flags = F_ZERO, .len_min = 1, .len_max = 4}},
    {.key = {0x06, 0x0e, 0x2b, 0x34, 0x01, 0x01, 0x01, 0x0e, 0x01, 0x01, 0x03, 0x40, 0x40, 0x00, 0x00},
        .item = {KEY(sub_image_position_x), .kind = K_INT, .flags = F_ZERO, .len_min = 1, .len_max = 4}},
    {.key = {0x06, 0x0e, 0x2b, 0x34, 0x01, 0x01, 0x01, 0x0e, 0x01, 0x01, 0x03, 0x40, 0x50, 0x00, 0x00},
        .item = {KEY(sub_image_position_y), .kind = K_INT, .flags = F_ZERO, .len_min = 1, .len_max = 4}},
    {.key = {0x06, 0x0e, 0x2b, 0x34, 0x01, 0x01, 0x01, 0x0e, 0x01, 0x01, 0x03, 0x40, 0x60, 0x00, 0x00},
        .item = {KEY(active_sub_image_rows), .kind = K_UINT, .flags = F_ZERO, .len_min = 1, .len_max = 4}},
    {.key = {0x06, 0x0e, 0x2b, 0x34, 0x01, 0x01, 0x01, 0x0e, 0x01, 0x01, 0x03, 0x40, 0x70, 0x00, 0x00},
        .item = {KEY(active_sub_image_columns), .kind = K_UINT, .flags = F_ZERO, .len_min = 1, .len_max = 4}},
    {.key = {0x06, 0x0e, 0x2b, 0x34, 0x01, 0x01, 0x01, 0x0e, 0x01, 0x01, 0x03, 0x40, 0x80, 0x00, 0x00},
        .item = {KEY(active_sub_image_offset_x), .kind = K_INT, .flags = F_ZERO, .len_min = 1, .len_max = 4}},
    {.key = {0x06, 0x0e, 0x2b, 0x34, 0x01, 0x01, 0x01, 0x0e, 0x01, 0x01, 0x03, 0x40, 0x90, 0x00, 0x00},
        .item = {KEY(active_sub_image_offset_y), .kind = K_INT, .flags = F_ZERO, .len_min = 1, .len_max = 4}},
    {.key = {0x06, 0x0e, 0x2b, 0x34, 0x01, 0x01, 0x01, 0x0e, 0x01, 0x01, 0x03, 0x40, 0xa0, 0x00, 0x00},
        .item = {KEY(source_image_aoi_rows), .kind = K_UINT, .flags = F_ZERO, .len_min = 1, .len_max = 4}},
    {.key = {0x06, 0x0e, 0x2b, 0x34, 0x01, 0x01, 0x01, 0x0e, 0x01, 0x01, 0x03, 0x40, 0xb0, 0x00, 0x00},
        .item = {KEY(transparency), .kind = K_UINT, .flags = F_ZERO, .len_min = 1, .len_max = 1, .max = 255.0}},
    {.key = {0x06, 0x0e, 0x2b, 0x34, 0x01, 0x01, 0x01, 0x0e, 0x01, 0x01, 0x03, 0x40, 0xc0, 0x00, 0x00},
        .item = {KEY(source_image_aoi_columns), .kind = K_UINT, .flags = F_ZERO, .len_min = 1, .len_max = 4}},
    {.key = {0x06, 0x0e, 0x2b, 0x34, 0x01, 0x01, 0x01, 0x0e, 0x01, 0x01, 0x03, 0x40, 0xd0, 0x00, 0x00},
        .item = {KEY(source_image_aoi_position_x), .kind = K_INT, .flags = F_ZERO, .len_min = 1, .len_max = 4}},
    {.key = {0x06, 0x0e, 0x2b, 0x34, 0x01, 0x01, 0x01, 0x0e, 0x01, 0x01, 0x03, 0x40, 0xe0, 0x00, 0x00},
        .item = {KEY(source_image_aoi_position_y), .kind = K_INT, .flags = F_ZERO, .len_min = 1, .len_max = 4}},
    {.key = {0x06, 0x0e, 0x2b, 0x34, 0x01, 0x01, 0x01, 0x0e, 0x01, 0x02, 0x01, 0x82, 0x47, 0x00, 0x00}, .tag = 104,
        .item = {KEY(sensor_ellipsoid_height_extended), .kind = K_IMAPB, .flags = F_ZERO, .range_power = 16,
        .len_min = 1, .len_max = 8, .min = -900.0, .max = 40000.0}},
    {.key = {0x06, 0x0e, 0x2b, 0x34, 0x01, 0x01, 0x01, 0x0e, 0x01, 0x02, 0x01, 0x82, 0x48, 0x00, 0x00}, .tag = 105,
        .item = {KEY(alternate_platform_ellipsoid_height_extended), .kind = K_IMAPB, .flags = F_ZERO, .range_power = 16,
        .len_min = 1, .len_max = 8, .min = -900.0, .max = 40000.0}},
    {.key = {0x06, 0x0e, 0x2b, 0x34, 0x01, 0x01, 0x01, 0x0e, 0x01, 0x02, 0x02, 0x06, 0x00, 0x00, 0x00},
        .item = {KEY(image_rows), .kind = K_UINT, .flags = F_ZERO, .len_min = 2, .len_max = 2, .max = 65535.0}},
    {.key = {0x06, 0x0e, 0x2b, 0x34, 0x01, 0x01, 0x01, 0x0e, 0x01, 0x02, 0x02, 0x07, 0x00, 0x00, 0x00},
        .item = {KEY(image_columns), .kind = K_UINT, .flags = F_ZERO, .len_min = 2, .len_max = 2, .max = 65535.0}},
    {.key = {0x06, 0x0e, 0x2b, 0x34, 0x01, 0x01, 0x01, 0x0e, 0x01, 0x02, 0x02, 0x81, 0x01, 0x00, 0x00},
        .item = {KEY(x_equation_numerator_x_factor), .kind = K_FLOAT, .flags = F_ZERO, .len_min = 4, .len_max = 8}},
    {.key = {0x06, 0x0e, 0x2b, 0x34, 0x01, 0x01, 0x01, 0x0e, 0x01, 0x02, 0x02, 0x81, 0x02, 0x00, 0x00},
        .item = {KEY(x_equation_numerator_y_factor), .kind = K_FLOAT, .flags = F_ZERO, .len_min = 4, .len_max = 8}},
    {.key = {0x06, 0x0e, 0x2b, 0x34, 0x01, 0x01, 0x01, 0x0e, 0x01, 0x02, 0x02, 0x81, 0x03, 0x00, 0x00},
        .item = {KEY(x_equation_numerator_constant_factor), .kind = K_FLOAT, .flags = F_ZERO, .len_min = 4,
        .len_max = 8}},
    {.key = {0x06, 0x0e, 0x2b, 0x34, 0x01, 0x01, 0x01, 0x0e, 0x01, 0x02, 0x02, 0x81, 0x04, 0x00, 0x00},
        .item = {KEY(y_equation_numerator_x_factor), .kind = K_FLOAT, .flags = F_ZERO, .len_min = 4, .len_max = 8}},
    {.key = {0x06, 0x0e, 0x2b, 0x34, 0x01, 0x01, 0x01, 0x0e, 0x01, 0x02, 0x02, 0x81, 0x05, 0x00, 0x00},
        .item = {KEY(y_equation_numerator_y_factor), .kind = K_FLOAT, .flags = F_ZERO, .len_min = 4, .len_max = 8}},
    {.key = {0x06, 0x0e, 0x2b, 0x34, 0x01, 0x01, 0x01, 0x0e, 0x01, 0x02, 0x02, 0x81, 0x06, 0x00, 0x00},
        .item = {KEY(y_equation_numerator_constant_factor), .kind = K_FLOAT, .flags = F_ZERO, .len_min = 4,
        .len_max = 8}},
    {.key = {0x06, 0x0e, 0x2b, 0x34, 0x01, 0x01, 0x01, 0x0e, 0x01, 0x02, 0x02, 0x81, 0x07, 0x00, 0x00},
        .item = {KEY(denominator_x_factor), .kind = K_FLOAT, .flags = F_ZERO, .len_min = 4, .len_max = 8}},
    {.key = {0x06, 0x0e, 0x2b, 0x34, 0x01, 0x01, 0x01, 0x0e, 0x01, 0x02, 0x02, 0x81, 0x08, 0x00, 0x00},
        .item = {KEY(denominator_y_factor), .kind = K_FLOAT, .flags = F_ZERO, .len_min = 4, .len_max = 8}},
    {.key = {0x06, 0x0e, 0x2b, 0x34, 0x01, 0x01, 0x01, 0x0e, 0x01, 0x02, 0x03, 0x02, 0x00, 0x00, 0x00},
        .item = {KEY(sci_shi_information), .kind = K_TEXT, .flags = F_ZERO}},
    {.key = {0x06, 0x0e, 0x2b, 0x34, 0x01, 0x01, 0x01, 0x0e, 0x01, 0x02, 0x03, 0x03, 0x00, 0x00, 0x00},
        .item = {KEY(rvt_ls_version), .kind = K_UINT, .flags = F_ZERO, .len_min = 1, .len_max = 1, .max = 255.0}},
    {.key = {0x06, 0x0e, 0x2b, 0x34, 0x01, 0x01, 0x01, 0x0e, 0x01, 0x02, 0x03, 0x10, 0x00, 0x00, 0x00},
        .item = {KEY(crc32), .kind = K_UINT, .len_min = 4, .len_max = 4, .max = 4294967295.0}},
    {.key = {0x06, 0x0e, 0x2b, 0x34, 0x01, 0x01, 0x01, 0x0e, 0x01, 0x02, 0x03, 0x11, 0x00, 0x00, 0x00},
        .item = {KEY(numeric_id), .kind = K_BITS, .flags = F_ZERO, .len_min = 1, .len_max = 1,
        .bits = bits_rvtuserdefined_1, .code_count = 2}},
    {.key = {0x06, 0x0e, 0x2b, 0x34, 0x01, 0x01, 0x01, 0x0e, 0x01, 0x02, 0x03, 0x12, 0x00, 0x00, 0x00},
        .item = {KEY(user_data), .kind = K_USER_DATA, .flags = F_ZERO, .place = PLACE_INSIDE}},
    {.key = {0x06, 0x0e, 0x2b, 0x34, 0x01, 0x01, 0x01, 0x0e, 0x01, 0x02, 0x03, 0x5e, 0x00, 0x00, 0x00},
        .item = {KEY(crc16), .kind = K_UINT, .len_min = 2, .len_max = 2, .max = 65535.0}},
    {.key = {0x06, 0x0e, 0x2b, 0x34, 0x01, 0x01, 0x01, 0x0e, 0x01, 0x02, 0x03, 0x5f, 0x00, 0x00, 0x00},
        .item = {KEY(transformation_type), .kind = K_ENUM, .flags = F_ZERO, .len_min = 1, .len_max = 1, .max = 4.0,
        .codes = codes_st1202_11_transformation_type, .code_count = 5}},
    {.key = {0x06, 0x0e, 0x2b, 0x34, 0x01, 0x01, 0x01, 0x0e, 0x01, 0x02, 0x03, 0x60, 0x00, 0x00, 0x00},
        .item = {KEY(range_image_enumerations), .kind = K_BITS, .flags = F_ZERO | F_OID, .len_min = 1, .len_max = 2,
        .bits = bits_st1002_12, .code_count = 3}},
    {.key = {0x06, 0x0e, 0x2b, 0x34, 0x01, 0x01, 0x01, 0x0e, 0x01, 0x02, 0x05, 0x04, 0x00, 0x00, 0x00},
        .item = {KEY(version), .kind = K_UINT, .flags = F_ZERO, .len_min = 2, .len_max = 2, .max = 65535.0}},
    {.key = {0x06, 0x0e, 0x2b, 0x34, 0x01, 0x01, 0x01, 0x0e, 0x01, 0x02, 0x05, 0x05, 0x00, 0x00, 0x00},
        .item = {KEY(document_version), .kind = K_UINT, .flags = F_ZERO | F_OID, .len_min = 1}},
    {.key = {0x06, 0x0e, 0x2b, 0x34, 0x01, 0x01, 0x01, 0x0e, 0x01, 0x02, 0x05, 0x06, 0x00, 0x00, 0x00},
        .item = {KEY(z_order), .kind = K_UINT, .flags = F_ZERO, .len_min = 1, .len_max = 1, .max = 255.0}},
    {.key = {0x06, 0x0e, 0x2b, 0x34, 0x01, 0x01, 0x01, 0x0e, 0x01, 0x02, 0x05, 0x07, 0x00, 0x00, 0x00},
        .item = {KEY(sprm_row_coordinate), .kind = K_FLOAT, .flags = F_ZERO, .len_min = 4, .len_max = 8}},
    {.key = {0x06, 0x0e, 0x2b, 0x34, 0x01, 0x01, 0x01, 0x0e, 0x01, 0x02, 0x05, 0x08, 0x00, 0x00, 0x00},
        .item = {KEY(sprm_column_coordinate), .kind = K_FLOAT, .flags = F_ZERO, .len_min = 4, .len_max = 8}},
    {.key = {0x06, 0x0e, 0x2b, 0x34, 0x01, 0x01, 0x01, 0x0e, 0x01, 0x04, 0x03, 0x01, 0x00, 0x00, 0x00},
        .item = {KEY(operation_id), .kind = K_TEXT, .flags = F_ZERO, .len_max = 127}},
    {.key = {0x06, 0x0e, 0x2b, 0x34, 0x01, 0x01, 0x01, 0x0e, 0x01, 0x04, 0x03, 0x03, 0x00, 0x00, 0x00},
        .item = {KEY(country_coding_method_version_date), .kind = K_TEXT, .flags = F_ZERO}},
    {.key = {0x06, 0x0e, 0x2b, 0x34, 0x01, 0x01, 0x01, 0x0e, 0x01, 0x04, 0x03, 0x04, 0x00, 0x00, 0x00},
        .item = {KEY(object_country_coding_method_version_date), .kind = K_TEXT, .flags = F_ZERO}},
    {.key = {0x06, 0x0e, 0x2b, 0x34, 0x01, 0x01, 0x01, 0x0e, 0x01, 0x04, 0x05, 0x03, 0x00, 0x00, 0x00}, .tag = 94,
        .item = {KEY(miis_core_identifier), .kind = K_MIIS, .flags = F_ZERO, .len_min = 18, .len_max = 50}},
    {.key = {0x06, 0x0e, 0x2b, 0x34, 0x01, 0x01, 0x01, 0x0e, 0x01, 0x05, 0x01, 0x00, 0x00, 0x00, 0x00},
        .item = {KEY(assessment_point), .kind = K_ENUM, .flags = F_ZERO, .len_min = 1, .len_max = 1, .max = 5.0,
        .codes = codes_st1108_1_assessment_point, .code_count = 6}},
    {.key = {0x06, 0x0e, 0x2b, 0x34, 0x01, 0x01, 0x01, 0x0e, 0x01, 0x05, 0x02, 0x00, 0x00, 0x00, 0x00},
        .item = {KEY(compression_type), .kind = K_ENUM, .flags = F_ZERO, .len_min = 1, .len_max = 1, .max = 4.0,
        .codes = codes_st1108_5_compression_type, .code_count = 5}},
    {.key = {0x06, 0x0e, 0x2b, 0x34, 0x01, 0x01, 0x01, 0x0e, 0x01, 0x05, 0x03, 0x00, 0x00, 0x00, 0x00},
        .item = {KEY(compression_profile), .kind = K_ENUM, .flags = F_ZERO, .len_min = 1, .len_max = 1, .max = 8.0,
        .codes = codes_st1108_6_compression_profile, .code_count = 9}},
    {.key = {0x06, 0x0e, 0x2b, 0x34, 0x01, 0x01, 0x01, 0x0e, 0x01, 0x05, 0x04, 0x00, 0x00, 0x00, 0x00},
        .item = {KEY(compression_level), .kind = K_TEXT, .flags = F_ZERO}},
    {.key = {0x06, 0x0e, 0x2b, 0x34, 0x01, 0x01, 0x01, 0x0e, 0x01, 0x05, 0x05, 0x00, 0x00, 0x00, 0x00},
        .item = {KEY(compression_ratio), .kind = K_FLOAT, .flags = F_ZERO, .len_min = 4, .len_max = 8}},
    {.key = {0x06, 0x0e, 0x2b, 0x34, 0x01, 0x01, 0x01, 0x0e, 0x01, 0x05, 0x06, 0x00, 0x00, 0x00, 0x00},
        .item = {KEY(stream_bitrate), .kind = K_UINT, .flags = F_ZERO, .len_min = 1, .len_max = 4}},
    {.key = {0x06, 0x0e, 0x2b, 0x34, 0x01, 0x01, 0x01, 0x0e, 0x01, 0x05, 0x07, 0x00, 0x00, 0x00, 0x00},
        .item = {KEY(metric_name), .kind = K_TEXT, .flags = F_ZERO}},
    {.key = {0x06, 0x0e, 0x2b, 0x34, 0x01, 0x01, 0x01, 0x0e, 0x01, 0x05, 0x08, 0x00, 0x00, 0x00, 0x00},
        .item = {KEY(metric_version), .kind = K_TEXT, .flags = F_ZERO}},
    {.key = {0x06, 0x0e, 0x2b, 0x34, 0x01, 0x01, 0x01, 0x0e, 0x01, 0x05, 0x09, 0x00, 0x00, 0x00, 0x00},
        .item = {KEY(metric_implementer), .kind = K_TEXT, .flags = F_ZERO}},
    {.key = {0x06, 0x0e, 0x2b, 0x34, 0x01, 0x01, 0x01, 0x0e, 0x01, 0x05, 0x0a, 0x00, 0x00, 0x00, 0x00},
        .item = {KEY(metric_parameters), .kind = K_TEXT, .flags = F_ZERO}},
    {.key = {0x06, 0x0e, 0x2b, 0x34, 0x01, 0x01, 0x01, 0x0e, 0x01, 0x05, 0x0b, 0x00, 0x00, 0x00, 0x00},
        .item = {KEY(metric_value), .kind = K_FLOAT, .flags = F_ZERO, .len_min = 4, .len_max = 8}},
    {.key = {0x06, 0x0e, 0x2b, 0x34, 0x02, 0x03, 0x01, 0x0e, 0x01, 0x03, 0x03, 0x02, 0x00, 0x00, 0x00}, .tag = 48,
        .item = {KEY(security_local_set), .kind = K_SET, .flags = F_ZERO, .set = &set_st0102}},
    {.key = {0x06, 0x0e, 0x2b, 0x34, 0x02, 0x04, 0x01, 0x0e, 0x01, 0x03, 0x03, 0x01, 0x00, 0x00, 0x00},
        .item = {KEY(section_data_pack), .kind = K_PACK, .flags = F_ZERO, .cells = C_FLOAT, .pack = &pack_sectiondata}},
    {.key = {0x06, 0x0e, 0x2b, 0x34, 0x02, 0x05, 0x01, 0x0e, 0x01, 0x03, 0x02, 0x01, 0x01, 0x00, 0x00},
        .item = {KEY(window_corners_pack), .kind = K_PACK, .flags = F_ZERO, .len_min = 4, .pack = &pack_windowcorners}},
    {.key = {0x06, 0x0e, 0x2b, 0x34, 0x02, 0x05, 0x01, 0x0e, 0x01, 0x03, 0x03, 0x06, 0x00, 0x00, 0x00},
        .item = {KEY(array), .kind = K_ARRAY, .flags = F_ZERO, .place = PLACE_INSIDE}},
    {.key = {0x06, 0x0e, 0x2b, 0x34, 0x02, 0x05, 0x01, 0x0e, 0x01, 0x03, 0x03, 0x21, 0x00, 0x00, 0x00}, .tag = 102,
        .item = {KEY(sdcc_flp), .kind = K_SDCC, .flags = F_REPEATS, .len_min = 2}},
    {.key = {0x06, 0x0e, 0x2b, 0x34, 0x02, 0x05, 0x01, 0x0e, 0x01, 0x05, 0x02, 0x00, 0x00, 0x00, 0x00},
        .item = {KEY(metric_period_pack), .kind = K_PACK, .flags = F_ZERO, .len_min = 12, .len_max = 12,
        .pack = &pack_metricperiod}},
    {.key = {0x06, 0x0e, 0x2b, 0x34, 0x02, 0x0b, 0x01, 0x0e, 0x01, 0x03, 0x01, 0x02, 0x00, 0x00, 0x00}, .tag = 73,
        .item = {KEY(rvt_local_set), .kind = K_SET, .flags = F_ZERO, .place = PLACE_INSIDE, .set = &set_st0806}},
    {.key = {0x06, 0x0e, 0x2b, 0x34, 0x02, 0x0b, 0x01, 0x0e, 0x01, 0x03, 0x01, 0x0c, 0x00, 0x00, 0x00},
        .item = {KEY(point_of_interest_local_set), .kind = K_SET, .flags = F_ZERO, .place = PLACE_INSIDE,
        .set = &set_rvtpoi}},
    {.key = {0x06, 0x0e, 0x2b, 0x34, 0x02, 0x0b, 0x01, 0x0e, 0x01, 0x03, 0x01, 0x0d, 0x00, 0x00, 0x00},
        .item = {KEY(area_of_interest_local_set), .kind = K_SET, .flags = F_ZERO, .place = PLACE_INSIDE,
        .set = &set_rvtaoi}},
    {.key = {0x06, 0x0e, 0x2b, 0x34, 0x02, 0x0b, 0x01, 0x0e, 0x01, 0x03, 0x01, 0x0f, 0x00, 0x00, 0x00},
        .item = {KEY(user_defined_local_set), .kind = K_SET, .flags = F_ZERO, .place = PLACE_INSIDE,
        .set = &set_rvtuserdefined}},
    {.key = {0x06, 0x0e, 0x2b, 0x34, 0x02, 0x0b, 0x01, 0x0e, 0x01, 0x03, 0x03, 0x01, 0x00, 0x00, 0x00}, .tag = 98,
        .item = {KEY(geo_registration_local_set), .kind = K_SET, .flags = F_ZERO, .place = PLACE_INSIDE,
        .set = &set_st1601}},
    {.key = {0x06, 0x0e, 0x2b, 0x34, 0x02, 0x0b, 0x01, 0x0e, 0x01, 0x03, 0x03, 0x02, 0x00, 0x00, 0x00}, .tag = 99,
        .item = {KEY(composite_imaging_local_set), .kind = K_SET, .flags = F_ZERO, .place = PLACE_INSIDE,
        .set = &set_st1602}},
    {.key = {0x06, 0x0e, 0x2b, 0x34, 0x02, 0x0b, 0x01, 0x0e, 0x01, 0x03, 0x03, 0x06, 0x00, 0x00, 0x00}, .tag = 74,
        .item = {KEY(vmti_local_set), .kind = K_SET, .flags = F_ZERO, .place = PLACE_INSIDE, .set = &set_st0903}},
    {.key = {0x06, 0x0e, 0x2b, 0x34, 0x02, 0x0b, 0x01, 0x0e, 0x01, 0x03, 0x03, 0x0c, 0x00, 0x00, 0x00}, .tag = 97,
        .item = {KEY(range_image_local_set), .kind = K_SET, .flags = F_ZERO, .place = PLACE_INSIDE,
        .set = &set_st1002}},
    {.key = {0x06, 0x0e, 0x2b, 0x34, 0x02, 0x0b, 0x01, 0x0e, 0x01, 0x03, 0x03, 0x0d, 0x00, 0x00, 0x00}, .tag = 95,
        .item = {KEY(sar_motion_imagery_local_set), .kind = K_SET, .flags = F_ZERO, .place = PLACE_INSIDE,
        .set = &set_st1206}},
    {.key = {0x06, 0x0e, 0x2b, 0x34, 0x02, 0x0b, 0x01, 0x0e, 0x01, 0x03, 0x05, 0x05, 0x00, 0x00, 0x00},
        .item = {KEY(generalized_transformation), .kind = K_SET, .flags = F_ZERO, .place = PLACE_INSIDE,
        .set = &set_st1202}},
};
const int klv_keyed_count = 171;
