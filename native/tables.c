/* Made by native/generate from the csv files of native/spec: do not edit. */
#include "table.h"

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

static const char key_checksum[64] = "\"checksum\":";
static const char key_precision_time_stamp[64] = "\"precision_time_stamp\":";
static const char key_mission_id[64] = "\"mission_id\":";
static const char key_platform_tail_number[64] = "\"platform_tail_number\":";
static const char key_platform_heading_angle[64] = "\"platform_heading_angle\":";
static const char key_platform_pitch_angle[64] = "\"platform_pitch_angle\":";
static const char key_platform_roll_angle[64] = "\"platform_roll_angle\":";
static const char key_platform_true_airspeed[64] = "\"platform_true_airspeed\":";
static const char key_platform_indicated_airspeed[64] = "\"platform_indicated_airspeed\":";
static const char key_platform_designation[64] = "\"platform_designation\":";
static const char key_image_source_sensor[64] = "\"image_source_sensor\":";
static const char key_image_coordinate_system[64] = "\"image_coordinate_system\":";
static const char key_sensor_latitude[64] = "\"sensor_latitude\":";
static const char key_sensor_longitude[64] = "\"sensor_longitude\":";
static const char key_sensor_true_altitude[64] = "\"sensor_true_altitude\":";
static const char key_sensor_horizontal_field_of_view[64] = "\"sensor_horizontal_field_of_view\":";
static const char key_sensor_vertical_field_of_view[64] = "\"sensor_vertical_field_of_view\":";
static const char key_sensor_relative_azimuth_angle[64] = "\"sensor_relative_azimuth_angle\":";
static const char key_sensor_relative_elevation_angle[64] = "\"sensor_relative_elevation_angle\":";
static const char key_sensor_relative_roll_angle[64] = "\"sensor_relative_roll_angle\":";
static const char key_slant_range[64] = "\"slant_range\":";
static const char key_target_width[64] = "\"target_width\":";
static const char key_frame_center_latitude[64] = "\"frame_center_latitude\":";
static const char key_frame_center_longitude[64] = "\"frame_center_longitude\":";
static const char key_frame_center_elevation[64] = "\"frame_center_elevation\":";
static const char key_offset_corner_latitude_point_1[64] = "\"offset_corner_latitude_point_1\":";
static const char key_offset_corner_longitude_point_1[64] = "\"offset_corner_longitude_point_1\":";
static const char key_offset_corner_latitude_point_2[64] = "\"offset_corner_latitude_point_2\":";
static const char key_offset_corner_longitude_point_2[64] = "\"offset_corner_longitude_point_2\":";
static const char key_offset_corner_latitude_point_3[64] = "\"offset_corner_latitude_point_3\":";
static const char key_offset_corner_longitude_point_3[64] = "\"offset_corner_longitude_point_3\":";
static const char key_offset_corner_latitude_point_4[64] = "\"offset_corner_latitude_point_4\":";
static const char key_offset_corner_longitude_point_4[64] = "\"offset_corner_longitude_point_4\":";
static const struct code codes_st0601_34_icing_detected[] = {{0, "\"Detector off\""}, {1, "\"No icing detected\""}, {2, "\"Icing detected\""}};
static const char key_icing_detected[64] = "\"icing_detected\":";
static const char key_wind_direction[64] = "\"wind_direction\":";
static const char key_wind_speed[64] = "\"wind_speed\":";
static const char key_static_pressure[64] = "\"static_pressure\":";
static const char key_density_altitude[64] = "\"density_altitude\":";
static const char key_outside_air_temperature[64] = "\"outside_air_temperature\":";
static const char key_target_location_latitude[64] = "\"target_location_latitude\":";
static const char key_target_location_longitude[64] = "\"target_location_longitude\":";
static const char key_target_location_elevation[64] = "\"target_location_elevation\":";
static const char key_target_track_gate_width[64] = "\"target_track_gate_width\":";
static const char key_target_track_gate_height[64] = "\"target_track_gate_height\":";
static const char key_target_error_estimate_ce90[64] = "\"target_error_estimate_ce90\":";
static const char key_target_error_estimate_le90[64] = "\"target_error_estimate_le90\":";
static const char key_laser_range[64] = "\"laser_range\":";
static const char key_auto_track[64] = "\"auto_track\":";
static const char key_ir_polarity[64] = "\"ir_polarity\":";
static const char key_image_invalid[64] = "\"image_invalid\":";
static const struct bits bits_st0601_47[] = {{0, 1, key_laser_range, 0, 0}, {1, 1, key_auto_track, 0, 0}, {2, 1, key_ir_polarity, 0, 0}, {3, 1, key_icing_detected, 0, 0}, {4, 1, key_slant_range, 0, 0}, {5, 1, key_image_invalid, 0, 0}};
static const char key_generic_flag_data[64] = "\"generic_flag_data\":";
static const char key_security_local_set[64] = "\"security_local_set\":";
static const char key_differential_pressure[64] = "\"differential_pressure\":";
static const char key_platform_angle_of_attack[64] = "\"platform_angle_of_attack\":";
static const char key_platform_vertical_speed[64] = "\"platform_vertical_speed\":";
static const char key_platform_sideslip_angle[64] = "\"platform_sideslip_angle\":";
static const char key_airfield_barometric_pressure[64] = "\"airfield_barometric_pressure\":";
static const char key_airfield_elevation[64] = "\"airfield_elevation\":";
static const char key_relative_humidity[64] = "\"relative_humidity\":";
static const char key_platform_ground_speed[64] = "\"platform_ground_speed\":";
static const char key_ground_range[64] = "\"ground_range\":";
static const char key_platform_fuel_remaining[64] = "\"platform_fuel_remaining\":";
static const char key_platform_call_sign[64] = "\"platform_call_sign\":";
static const char key_weapon_load[64] = "\"weapon_load\":";
static const char key_weapon_fired[64] = "\"weapon_fired\":";
static const char key_laser_prf_code[64] = "\"laser_prf_code\":";
static const struct code codes_st0601_63_sensor_field_of_view_name[] = {{0, "\"Ultranarrow\""}, {1, "\"Narrow\""}, {2, "\"Medium\""}, {3, "\"Wide\""}, {4, "\"Ultrawide\""}, {5, "\"Narrow Medium\""}, {6, "\"2x Ultranarrow\""}, {7, "\"4x Ultranarrow\""}, {8, "\"Continuous Zoom\""}};
static const char key_sensor_field_of_view_name[64] = "\"sensor_field_of_view_name\":";
static const char key_platform_magnetic_heading[64] = "\"platform_magnetic_heading\":";
static const char key_uas_datalink_ls_version_number[64] = "\"uas_datalink_ls_version_number\":";
static const char key_deprecated_66[64] = "\"deprecated_66\":";
static const char key_alternate_platform_latitude[64] = "\"alternate_platform_latitude\":";
static const char key_alternate_platform_longitude[64] = "\"alternate_platform_longitude\":";
static const char key_alternate_platform_altitude[64] = "\"alternate_platform_altitude\":";
static const char key_alternate_platform_name[64] = "\"alternate_platform_name\":";
static const char key_alternate_platform_heading[64] = "\"alternate_platform_heading\":";
static const char key_event_start_time[64] = "\"event_start_time\":";
static const char key_rvt_local_set[64] = "\"rvt_local_set\":";
static const char key_vmti_local_set[64] = "\"vmti_local_set\":";
static const char key_sensor_ellipsoid_height[64] = "\"sensor_ellipsoid_height\":";
static const char key_alternate_platform_ellipsoid_height[64] = "\"alternate_platform_ellipsoid_height\":";
static const struct code codes_st0601_77_operational_mode[] = {{0, "\"Other\""}, {1, "\"Operational\""}, {2, "\"Training\""}, {3, "\"Exercise\""}, {4, "\"Maintenance\""}, {5, "\"Test\""}};
static const char key_operational_mode[64] = "\"operational_mode\":";
static const char key_frame_center_height_above_ellipsoid[64] = "\"frame_center_height_above_ellipsoid\":";
static const char key_sensor_north_velocity[64] = "\"sensor_north_velocity\":";
static const char key_sensor_east_velocity[64] = "\"sensor_east_velocity\":";
static const char key_start_x[64] = "\"start_x\":";
static const char key_start_y[64] = "\"start_y\":";
static const char key_end_x[64] = "\"end_x\":";
static const char key_end_y[64] = "\"end_y\":";
static const char key_start_latitude[64] = "\"start_latitude\":";
static const char key_start_longitude[64] = "\"start_longitude\":";
static const char key_end_latitude[64] = "\"end_latitude\":";
static const char key_end_longitude[64] = "\"end_longitude\":";
static const struct element elements_imagehorizon[] = {
    {P_FIX, 0, O_NONE, 0, {key_start_x, 10, K_UINT, F_ZERO, 0, 0, 0, 0, 1, 1, 0, 0.0, 100.0, 1.0, 1.0, 0, 0, 0, 0, 0}},
    {P_FIX, 0, O_NONE, 0, {key_start_y, 10, K_UINT, F_ZERO, 0, 0, 0, 0, 1, 1, 0, 0.0, 100.0, 1.0, 1.0, 0, 0, 0, 0, 0}},
    {P_FIX, 0, O_NONE, 0, {key_end_x, 8, K_UINT, F_ZERO, 0, 0, 0, 0, 1, 1, 0, 0.0, 100.0, 1.0, 1.0, 0, 0, 0, 0, 0}},
    {P_FIX, 0, O_NONE, 0, {key_end_y, 8, K_UINT, F_ZERO, 0, 0, 0, 0, 1, 1, 0, 0.0, 100.0, 1.0, 1.0, 0, 0, 0, 0, 0}},
    {P_FIX, 1, O_NONE, 0, {key_start_latitude, 17, K_LINEAR_INT, F_ZERO, 8, 0, 0, 0, 4, 4, 0, -90.0, 90.0, 4.190951587721217e-08, 4.190951587721218, "\"error\"", 0, 0, 0, 0}},
    {P_FIX, 1, O_NONE, 0, {key_start_longitude, 18, K_LINEAR_INT, F_ZERO, 8, 0, 0, 0, 4, 4, 0, -180.0, 180.0, 8.381903175442434e-08, 8.381903175442435, "\"error\"", 0, 0, 0, 0}},
    {P_FIX, 1, O_NONE, 0, {key_end_latitude, 15, K_LINEAR_INT, F_ZERO, 8, 0, 0, 0, 4, 4, 0, -90.0, 90.0, 4.190951587721217e-08, 4.190951587721218, "\"error\"", 0, 0, 0, 0}},
    {P_FIX, 1, O_NONE, 0, {key_end_longitude, 16, K_LINEAR_INT, F_ZERO, 8, 0, 0, 0, 4, 4, 0, -180.0, 180.0, 8.381903175442434e-08, 8.381903175442435, "\"error\"", 0, 0, 0, 0}}
};
static const struct pack pack_imagehorizon = {elements_imagehorizon, 8};
static const char key_image_horizon_pixel_pack[64] = "\"image_horizon_pixel_pack\":";
static const char key_corner_latitude_point_1_full[64] = "\"corner_latitude_point_1_full\":";
static const char key_corner_longitude_point_1_full[64] = "\"corner_longitude_point_1_full\":";
static const char key_corner_latitude_point_2_full[64] = "\"corner_latitude_point_2_full\":";
static const char key_corner_longitude_point_2_full[64] = "\"corner_longitude_point_2_full\":";
static const char key_corner_latitude_point_3_full[64] = "\"corner_latitude_point_3_full\":";
static const char key_corner_longitude_point_3_full[64] = "\"corner_longitude_point_3_full\":";
static const char key_corner_latitude_point_4_full[64] = "\"corner_latitude_point_4_full\":";
static const char key_corner_longitude_point_4_full[64] = "\"corner_longitude_point_4_full\":";
static const char key_platform_pitch_angle_full[64] = "\"platform_pitch_angle_full\":";
static const char key_platform_roll_angle_full[64] = "\"platform_roll_angle_full\":";
static const char key_platform_angle_of_attack_full[64] = "\"platform_angle_of_attack_full\":";
static const char key_platform_sideslip_angle_full[64] = "\"platform_sideslip_angle_full\":";
static const char key_miis_core_identifier[64] = "\"miis_core_identifier\":";
static const char key_sar_motion_imagery_local_set[64] = "\"sar_motion_imagery_local_set\":";
static const char key_target_width_extended[64] = "\"target_width_extended\":";
static const char key_range_image_local_set[64] = "\"range_image_local_set\":";
static const char key_geo_registration_local_set[64] = "\"geo_registration_local_set\":";
static const char key_composite_imaging_local_set[64] = "\"composite_imaging_local_set\":";
static const char key_segment_local_set[64] = "\"segment_local_set\":";
static const char key_amend_local_set[64] = "\"amend_local_set\":";
static const char key_sdcc_flp[64] = "\"sdcc_flp\":";
static const char key_density_altitude_extended[64] = "\"density_altitude_extended\":";
static const char key_sensor_ellipsoid_height_extended[64] = "\"sensor_ellipsoid_height_extended\":";
static const char key_alternate_platform_ellipsoid_height_extended[64] = "\"alternate_platform_ellipsoid_height_extended\":";
static const char key_stream_designator[64] = "\"stream_designator\":";
static const char key_operational_base[64] = "\"operational_base\":";
static const char key_broadcast_source[64] = "\"broadcast_source\":";
static const char key_range_to_recovery_location[64] = "\"range_to_recovery_location\":";
static const char key_time_airborne[64] = "\"time_airborne\":";
static const char key_propulsion_unit_speed[64] = "\"propulsion_unit_speed\":";
static const char key_platform_course_angle[64] = "\"platform_course_angle\":";
static const char key_altitude_agl[64] = "\"altitude_agl\":";
static const char key_radar_altimeter[64] = "\"radar_altimeter\":";
static const char key_command_id[64] = "\"command_id\":";
static const char key_command[64] = "\"command\":";
static const char key_command_time[64] = "\"command_time\":";
static const struct element elements_controlcommand[] = {
    {P_OID, 0, O_NONE, 0, {key_command_id, 13, K_UINT, F_ZERO, 0, 0, 0, 0, 0, 0, 0, 0.0, 0.0, 1.0, 1.0, 0, 0, 0, 0, 0}},
    {P_LENGTH, 0, O_NONE, 0, {key_command, 10, K_TEXT, F_ZERO, 0, 0, 0, 0, 0, 0, 0, 0.0, 0.0, 1.0, 1.0, 0, 0, 0, 0, 0}},
    {P_FIX, 1, O_TIME, 0, {key_command_time, 15, K_UINT, F_ZERO, 0, 0, 0, 0, 8, 8, 0, 0.0, 0.0, 1.0, 1.0, 0, 0, 0, 0, 0}}
};
static const struct pack pack_controlcommand = {elements_controlcommand, 3};
static const char key_control_command[64] = "\"control_command\":";
static const struct element elements_commandverification[] = {
    {P_OID, 0, O_NONE, 0, {key_command_id, 13, K_UINT, F_ZERO, 0, 0, 0, 0, 0, 0, 0, 0.0, 0.0, 1.0, 1.0, 0, 0, 0, 0, 0}}
};
static const struct pack pack_commandverification = {elements_commandverification, 1};
static const char key_control_command_verification_list[64] = "\"control_command_verification_list\":";
static const char key_sensor_azimuth_rate[64] = "\"sensor_azimuth_rate\":";
static const char key_sensor_elevation_rate[64] = "\"sensor_elevation_rate\":";
static const char key_sensor_roll_rate[64] = "\"sensor_roll_rate\":";
static const char key_on_board_mi_storage_percent_full[64] = "\"on_board_mi_storage_percent_full\":";
static const struct code codes_st0601_121_wavelength_id[] = {{0, "\"All\""}, {1, "\"VIS 380-750 nm\""}, {2, "\"IR 750-100000 nm\""}, {3, "\"NIR 750-3000 nm\""}, {4, "\"MIR 3000-8000 nm\""}, {5, "\"LIR 8000-14000 nm\""}, {6, "\"FIR 14000-100000 nm\""}};
static const char key_wavelength_id[64] = "\"wavelength_id\":";
static const struct element elements_activewavelengths[] = {
    {P_OID, 0, O_NONE, 0, {key_wavelength_id, 16, K_ENUM, F_ZERO, 0, 0, 0, 0, 0, 0, 7, 0.0, 0.0, 1.0, 1.0, 0, codes_st0601_121_wavelength_id, 0, 0, 0}}
};
static const struct pack pack_activewavelengths = {elements_activewavelengths, 1};
static const char key_active_wavelength_list[64] = "\"active_wavelength_list\":";
static const char key_coding_method_length[64] = "\"coding_method_length\":";
static const struct code codes_st0601_122_coding_method[] = {{1, "\"ISO-3166 Two Letter\""}, {2, "\"ISO-3166 Three Letter\""}, {3, "\"ISO-3166 Numeric\""}, {4, "\"FIPS 10-4 Two Letter\""}, {5, "\"FIPS 10-4 Four Letter\""}, {6, "\"1059 Two Letter\""}, {7, "\"1059 Three Letter\""}, {8, "\"Omitted Value\""}, {9, "\"Omitted Value\""}, {10, "\"Omitted Value\""}, {11, "\"Omitted Value\""}, {12, "\"Omitted Value\""}, {13, "\"GENC Two Letter\""}, {14, "\"GENC Three Letter\""}, {15, "\"GENC Numeric\""}, {64, "\"GENC AdminSub\""}};
static const char key_coding_method[64] = "\"coding_method\":";
static const char key_overflight_country[64] = "\"overflight_country\":";
static const char key_operator_country[64] = "\"operator_country\":";
static const char key_manufacture_country[64] = "\"manufacture_country\":";
static const struct element elements_countrycodes[] = {
    {P_GROUP, 0, O_NONE, 0, {key_coding_method_length, 23, K_UINT, F_ZERO, 0, 0, 0, 0, 0, 0, 0, 0.0, 0.0, 1.0, 1.0, 0, 0, 0, 0, 0}},
    {P_FIX, 0, O_NONE, 0, {key_coding_method, 16, K_ENUM, F_ZERO, 0, 0, 0, 0, 1, 1, 16, 1.0, 64.0, 1.0, 1.0, 0, codes_st0601_122_coding_method, 0, 0, 0}},
    {P_LENGTH, 0, O_NONE, 0, {key_overflight_country, 21, K_TEXT, F_ZERO, 0, 0, 0, 0, 0, 0, 0, 0.0, 0.0, 1.0, 1.0, 0, 0, 0, 0, 0}},
    {P_LENGTH, 1, O_NONE, 0, {key_operator_country, 19, K_TEXT, F_ZERO, 0, 0, 0, 0, 0, 0, 0, 0.0, 0.0, 1.0, 1.0, 0, 0, 0, 0, 0}},
    {P_LENGTH, 1, O_NONE, 0, {key_manufacture_country, 22, K_TEXT, F_ZERO, 0, 0, 0, 0, 0, 0, 0, 0.0, 0.0, 1.0, 1.0, 0, 0, 0, 0, 0}}
};
static const struct pack pack_countrycodes = {elements_countrycodes, 5};
static const char key_country_codes[64] = "\"country_codes\":";
static const char key_number_of_navsats_in_view[64] = "\"number_of_navsats_in_view\":";
static const char key_on_board_ins[64] = "\"on_board_ins\":";
static const char key_gps[64] = "\"gps\":";
static const char key_galileo[64] = "\"galileo\":";
static const char key_qzss[64] = "\"qzss\":";
static const char key_navic[64] = "\"navic\":";
static const char key_glonass[64] = "\"glonass\":";
static const char key_beidou_1[64] = "\"beidou_1\":";
static const char key_beidou_2[64] = "\"beidou_2\":";
static const struct bits bits_st0601_124[] = {{0, 1, key_on_board_ins, 0, 0}, {1, 1, key_gps, 0, 0}, {2, 1, key_galileo, 0, 0}, {3, 1, key_qzss, 0, 0}, {4, 1, key_navic, 0, 0}, {5, 1, key_glonass, 0, 0}, {6, 1, key_beidou_1, 0, 0}, {7, 1, key_beidou_2, 0, 0}};
static const char key_positioning_method_source[64] = "\"positioning_method_source\":";
static const struct code codes_st0601_125_platform_status[] = {{0, "\"Active\""}, {1, "\"Pre-flight\""}, {2, "\"Pre-flight-taxiing\""}, {3, "\"Run-up\""}, {4, "\"Take-off\""}, {5, "\"Ingress\""}, {6, "\"Manual operation\""}, {7, "\"Automated-orbit\""}, {8, "\"Transitioning\""}, {9, "\"Egress\""}, {10, "\"Landing\""}, {11, "\"Landed-taxiing\""}, {12, "\"Landed-Parked\""}};
static const char key_platform_status[64] = "\"platform_status\":";
static const struct code codes_st0601_126_sensor_control_mode[] = {{0, "\"Off\""}, {1, "\"Home Position\""}, {2, "\"Uncontrolled\""}, {3, "\"Manual Control\""}, {4, "\"Calibrating\""}, {5, "\"Auto - Holding Position\""}, {6, "\"Auto - Tracking\""}};
static const char key_sensor_control_mode[64] = "\"sensor_control_mode\":";
static const char key_numerator[64] = "\"numerator\":";
static const char key_denominator[64] = "\"denominator\":";
static const struct element elements_framerate[] = {
    {P_OID, 0, O_NONE, 0, {key_numerator, 12, K_UINT, F_ZERO, 0, 0, 0, 0, 0, 0, 0, 0.0, 0.0, 1.0, 1.0, 0, 0, 0, 0, 0}},
    {P_OID, 1, O_VALUE, 1, {key_denominator, 14, K_UINT, F_ZERO, 0, 0, 0, 0, 0, 0, 0, 0.0, 0.0, 1.0, 1.0, 0, 0, 0, 0, 0}}
};
static const struct pack pack_framerate = {elements_framerate, 2};
static const char key_sensor_frame_rate_pack[64] = "\"sensor_frame_rate_pack\":";
static const char key_record_length[64] = "\"record_length\":";
static const char key_min_wavelength_nm[64] = "\"min_wavelength_nm\":";
static const char key_max_wavelength_nm[64] = "\"max_wavelength_nm\":";
static const char key_name[64] = "\"name\":";
static const struct element elements_wavelengthrecord[] = {
    {P_RECORDS, 0, O_NONE, 0, {key_record_length, 16, K_UINT, F_ZERO, 0, 0, 0, 0, 0, 0, 0, 0.0, 0.0, 1.0, 1.0, 0, 0, 0, 0, 0}},
    {P_OID, 0, O_NONE, 0, {key_wavelength_id, 16, K_UINT, F_ZERO, 0, 0, 0, 0, 0, 0, 0, 21.0, 0.0, 1.0, 1.0, 0, 0, 0, 0, 0}},
    {P_FIX, 0, O_NONE, 0, {key_min_wavelength_nm, 20, K_IMAPB, F_ZERO, 0, 0, 30, 0, 4, 4, 0, 0.0, 1000000000.0, 1.0, 1.0, 0, 0, 0, 0, 0}},
    {P_FIX, 0, O_NONE, 0, {key_max_wavelength_nm, 20, K_IMAPB, F_ZERO, 0, 0, 30, 0, 4, 4, 0, 0.0, 1000000000.0, 1.0, 1.0, 0, 0, 0, 0, 0}},
    {P_REST, 0, O_NONE, 0, {key_name, 7, K_TEXT, F_ZERO, 0, 0, 0, 0, 0, 0, 0, 0.0, 0.0, 1.0, 1.0, 0, 0, 0, 0, 0}}
};
static const struct pack pack_wavelengthrecord = {elements_wavelengthrecord, 5};
static const char key_wavelengths_list[64] = "\"wavelengths_list\":";
static const char key_target_id[64] = "\"target_id\":";
static const char key_takeoff_length[64] = "\"takeoff_length\":";
static const char key_takeoff_latitude[64] = "\"takeoff_latitude\":";
static const char key_takeoff_longitude[64] = "\"takeoff_longitude\":";
static const char key_takeoff_hae[64] = "\"takeoff_hae\":";
static const char key_recovery_length[64] = "\"recovery_length\":";
static const char key_recovery_latitude[64] = "\"recovery_latitude\":";
static const char key_recovery_longitude[64] = "\"recovery_longitude\":";
static const char key_recovery_hae[64] = "\"recovery_hae\":";
static const struct element elements_airbaselocations[] = {
    {P_GROUP, 0, O_NONE, 0, {key_takeoff_length, 17, K_UINT, F_ZERO, 0, 0, 0, 0, 0, 0, 0, 0.0, 0.0, 1.0, 1.0, 0, 0, 0, 0, 0}},
    {P_FIX, 0, O_NONE, 0, {key_takeoff_latitude, 19, K_IMAPB, F_ZERO, 0, 0, 8, 0, 4, 4, 0, -90.0, 90.0, 1.0, 1.0, 0, 0, 0, 0, 0}},
    {P_FIX, 0, O_NONE, 0, {key_takeoff_longitude, 20, K_IMAPB, F_ZERO, 0, 0, 9, 0, 4, 4, 0, -180.0, 180.0, 1.0, 1.0, 0, 0, 0, 0, 0}},
    {P_FIX, 1, O_NONE, 0, {key_takeoff_hae, 14, K_IMAPB, F_ZERO, 0, 0, 14, 0, 3, 3, 0, -900.0, 9000.0, 1.0, 1.0, 0, 0, 0, 0, 0}},
    {P_GROUP, 1, O_GROUP, 0, {key_recovery_length, 18, K_UINT, F_ZERO, 0, 0, 0, 0, 0, 0, 0, 0.0, 0.0, 1.0, 1.0, 0, 0, 0, 0, 0}},
    {P_FIX, 1, O_NONE, 0, {key_recovery_latitude, 20, K_IMAPB, F_ZERO, 0, 0, 8, 0, 4, 4, 0, -90.0, 90.0, 1.0, 1.0, 0, 0, 0, 0, 0}},
    {P_FIX, 1, O_NONE, 0, {key_recovery_longitude, 21, K_IMAPB, F_ZERO, 0, 0, 9, 0, 4, 4, 0, -180.0, 180.0, 1.0, 1.0, 0, 0, 0, 0, 0}},
    {P_FIX, 1, O_NONE, 0, {key_recovery_hae, 15, K_IMAPB, F_ZERO, 0, 0, 14, 0, 3, 3, 0, -900.0, 9000.0, 1.0, 1.0, 0, 0, 0, 0, 0}}
};
static const struct pack pack_airbaselocations = {elements_airbaselocations, 8};
static const char key_airbase_locations[64] = "\"airbase_locations\":";
static const char key_take_off_time[64] = "\"take_off_time\":";
static const char key_transmission_frequency[64] = "\"transmission_frequency\":";
static const char key_on_board_mi_storage_capacity[64] = "\"on_board_mi_storage_capacity\":";
static const char key_zoom_percentage[64] = "\"zoom_percentage\":";
static const char key_communications_method[64] = "\"communications_method\":";
static const char key_leap_seconds[64] = "\"leap_seconds\":";
static const char key_correction_offset[64] = "\"correction_offset\":";
static const char key_payload_count[64] = "\"payload_count\":";
static const char key_payload_id[64] = "\"payload_id\":";
static const struct code codes_st0601_138_payload_type[] = {{0, "\"Electro Optical MI Sensor\""}, {1, "\"LIDAR\""}, {2, "\"RADAR\""}, {3, "\"SIGINT\""}, {4, "\"SAR\""}};
static const char key_payload_type[64] = "\"payload_type\":";
static const struct element elements_payloadrecord[] = {
    {P_OID, 0, O_NONE, 0, {key_payload_count, 16, K_UINT, F_ZERO, 0, 0, 0, 0, 0, 0, 0, 0.0, 0.0, 1.0, 1.0, 0, 0, 0, 0, 0}},
    {P_RECORDS, 0, O_NONE, 0, {key_record_length, 16, K_UINT, F_ZERO, 0, 0, 0, 0, 0, 0, 0, 0.0, 0.0, 1.0, 1.0, 0, 0, 0, 0, 0}},
    {P_OID, 0, O_NONE, 0, {key_payload_id, 13, K_UINT, F_ZERO, 0, 0, 0, 0, 0, 0, 0, 0.0, 0.0, 1.0, 1.0, 0, 0, 0, 0, 0}},
    {P_OID, 0, O_NONE, 0, {key_payload_type, 15, K_ENUM, F_ZERO, 0, 0, 0, 0, 0, 0, 5, 0.0, 4.0, 1.0, 1.0, 0, codes_st0601_138_payload_type, 0, 0, 0}},
    {P_LENGTH, 0, O_NONE, 0, {key_name, 7, K_TEXT, F_ZERO, 0, 0, 0, 0, 0, 0, 0, 0.0, 0.0, 1.0, 1.0, 0, 0, 0, 0, 0}}
};
static const struct pack pack_payloadrecord = {elements_payloadrecord, 5};
static const char key_payload_list[64] = "\"payload_list\":";
static const char key_active_payloads[64] = "\"active_payloads\":";
static const char key_station_id[64] = "\"station_id\":";
static const char key_hardpoint_id[64] = "\"hardpoint_id\":";
static const char key_carriage_id[64] = "\"carriage_id\":";
static const char key_store_id[64] = "\"store_id\":";
static const char key_general_status[64] = "\"general_status\":";
static const struct code codes_bits_st0601_140_status_general_status[] = {{0, "\"Off\""}, {1, "\"Initialization\""}, {2, "\"Ready (Degraded)\""}, {3, "\"Ready (All Up Round)\""}, {4, "\"Launch\""}, {5, "\"Free Flight\""}, {6, "\"Abort\""}, {7, "\"Miss Fire\""}, {8, "\"Hang Fire\""}, {9, "\"Jettisoned\""}, {10, "\"Stepped Over\""}, {11, "\"No Status Available\""}};
static const char key_fuze_enabled[64] = "\"fuze_enabled\":";
static const char key_laser_enabled[64] = "\"laser_enabled\":";
static const char key_target_enabled[64] = "\"target_enabled\":";
static const char key_weapon_armed[64] = "\"weapon_armed\":";
static const struct bits bits_st0601_140_status[] = {{0, 7, key_general_status, codes_bits_st0601_140_status_general_status, 12}, {8, 1, key_fuze_enabled, 0, 0}, {9, 1, key_laser_enabled, 0, 0}, {10, 1, key_target_enabled, 0, 0}, {11, 1, key_weapon_armed, 0, 0}};
static const char key_status[64] = "\"status\":";
static const char key_weapon_type[64] = "\"weapon_type\":";
static const struct element elements_weaponrecord[] = {
    {P_RECORDS, 0, O_NONE, 0, {key_record_length, 16, K_UINT, F_ZERO, 0, 0, 0, 0, 0, 0, 0, 0.0, 0.0, 1.0, 1.0, 0, 0, 0, 0, 0}},
    {P_OID, 0, O_NONE, 0, {key_station_id, 13, K_UINT, F_ZERO, 0, 0, 0, 0, 0, 0, 0, 0.0, 0.0, 1.0, 1.0, 0, 0, 0, 0, 0}},
    {P_OID, 0, O_NONE, 0, {key_hardpoint_id, 15, K_UINT, F_ZERO, 0, 0, 0, 0, 0, 0, 0, 0.0, 0.0, 1.0, 1.0, 0, 0, 0, 0, 0}},
    {P_OID, 0, O_NONE, 0, {key_carriage_id, 14, K_UINT, F_ZERO, 0, 0, 0, 0, 0, 0, 0, 0.0, 0.0, 1.0, 1.0, 0, 0, 0, 0, 0}},
    {P_OID, 0, O_NONE, 0, {key_store_id, 11, K_UINT, F_ZERO, 0, 0, 0, 0, 0, 0, 0, 0.0, 0.0, 1.0, 1.0, 0, 0, 0, 0, 0}},
    {P_OID, 0, O_NONE, 0, {key_status, 9, K_BITS, F_ZERO, 0, 0, 0, 0, 0, 0, 5, 0.0, 0.0, 1.0, 1.0, 0, 0, bits_st0601_140_status, 0, 0}},
    {P_LENGTH, 0, O_NONE, 0, {key_weapon_type, 14, K_TEXT, F_ZERO, 0, 0, 0, 0, 0, 0, 0, 0.0, 0.0, 1.0, 1.0, 0, 0, 0, 0, 0}}
};
static const struct pack pack_weaponrecord = {elements_weaponrecord, 7};
static const char key_weapons_stores[64] = "\"weapons_stores\":";
static const char key_waypoint_id[64] = "\"waypoint_id\":";
static const char key_prosecution_order[64] = "\"prosecution_order\":";
static const char key_mode[64] = "\"mode\":";
static const char key_source[64] = "\"source\":";
static const struct bits bits_st0601_141_info[] = {{0, 1, key_mode, 0, 0}, {1, 1, key_source, 0, 0}};
static const char key_info[64] = "\"info\":";
static const char key_latitude[64] = "\"latitude\":";
static const char key_longitude[64] = "\"longitude\":";
static const char key_hae[64] = "\"hae\":";
static const struct element elements_waypointrecord[] = {
    {P_RECORDS, 0, O_NONE, 0, {key_record_length, 16, K_UINT, F_ZERO, 0, 0, 0, 0, 0, 0, 0, 0.0, 0.0, 1.0, 1.0, 0, 0, 0, 0, 0}},
    {P_OID, 0, O_NONE, 0, {key_waypoint_id, 14, K_UINT, F_ZERO, 0, 0, 0, 0, 0, 0, 0, 0.0, 0.0, 1.0, 1.0, 0, 0, 0, 0, 0}},
    {P_FIX, 0, O_NONE, 0, {key_prosecution_order, 20, K_INT, F_ZERO, 0, 0, 0, 0, 2, 2, 0, -32768.0, 32767.0, 1.0, 1.0, 0, 0, 0, 0, 0}},
    {P_OID, 1, O_NONE, 0, {key_info, 7, K_BITS, F_ZERO, 0, 0, 0, 0, 0, 0, 2, 0.0, 3.0, 1.0, 1.0, 0, 0, bits_st0601_141_info, 0, 0}},
    {P_FIX, 1, O_NONE, 0, {key_latitude, 11, K_IMAPB, F_ZERO, 0, 0, 8, 0, 4, 4, 0, -90.0, 90.0, 1.0, 1.0, 0, 0, 0, 0, 0}},
    {P_FIX, 1, O_NONE, 0, {key_longitude, 12, K_IMAPB, F_ZERO, 0, 0, 9, 0, 4, 4, 0, -180.0, 180.0, 1.0, 1.0, 0, 0, 0, 0, 0}},
    {P_FIX, 1, O_NONE, 0, {key_hae, 6, K_IMAPB, F_ZERO, 0, 0, 14, 0, 3, 3, 0, -900.0, 9000.0, 1.0, 1.0, 0, 0, 0, 0, 0}}
};
static const struct pack pack_waypointrecord = {elements_waypointrecord, 7};
static const char key_waypoint_list[64] = "\"waypoint_list\":";
static const char key_azimuth_length[64] = "\"azimuth_length\":";
static const char key_azimuth_start[64] = "\"azimuth_start\":";
static const char key_azimuth_range[64] = "\"azimuth_range\":";
static const char key_elevation_length[64] = "\"elevation_length\":";
static const char key_elevation_start[64] = "\"elevation_start\":";
static const char key_elevation_range[64] = "\"elevation_range\":";
static const char key_roll_length[64] = "\"roll_length\":";
static const char key_roll_start[64] = "\"roll_start\":";
static const char key_roll_range[64] = "\"roll_range\":";
static const struct element elements_viewdomain[] = {
    {P_GROUP, 0, O_NONE, 0, {key_azimuth_length, 17, K_UINT, F_ZERO, 0, 0, 0, 0, 0, 0, 0, 0.0, 0.0, 1.0, 1.0, 0, 0, 0, 0, 0}},
    {P_HALF, 1, O_NONE, 0, {key_azimuth_start, 16, K_IMAPB, F_ZERO, 0, 0, 9, 0, 0, 0, 0, 0.0, 360.0, 1.0, 1.0, 0, 0, 0, 0, 0}},
    {P_HALF, 1, O_NONE, 0, {key_azimuth_range, 16, K_IMAPB, F_ZERO, 0, 0, 9, 0, 0, 0, 0, 0.0, 360.0, 1.0, 1.0, 0, 0, 0, 0, 0}},
    {P_GROUP, 1, O_NONE, 0, {key_elevation_length, 19, K_UINT, F_ZERO, 0, 0, 0, 0, 0, 0, 0, 0.0, 0.0, 1.0, 1.0, 0, 0, 0, 0, 0}},
    {P_HALF, 1, O_NONE, 0, {key_elevation_start, 18, K_IMAPB, F_ZERO, 0, 0, 9, 0, 0, 0, 0, -180.0, 180.0, 1.0, 1.0, 0, 0, 0, 0, 0}},
    {P_HALF, 1, O_NONE, 0, {key_elevation_range, 18, K_IMAPB, F_ZERO, 0, 0, 9, 0, 0, 0, 0, 0.0, 360.0, 1.0, 1.0, 0, 0, 0, 0, 0}},
    {P_GROUP, 1, O_NONE, 0, {key_roll_length, 14, K_UINT, F_ZERO, 0, 0, 0, 0, 0, 0, 0, 0.0, 0.0, 1.0, 1.0, 0, 0, 0, 0, 0}},
    {P_HALF, 1, O_NONE, 0, {key_roll_start, 13, K_IMAPB, F_ZERO, 0, 0, 9, 0, 0, 0, 0, 0.0, 360.0, 1.0, 1.0, 0, 0, 0, 0, 0}},
    {P_HALF, 1, O_NONE, 0, {key_roll_range, 13, K_IMAPB, F_ZERO, 0, 0, 9, 0, 0, 0, 0, 0.0, 360.0, 1.0, 1.0, 0, 0, 0, 0, 0}}
};
static const struct pack pack_viewdomain = {elements_viewdomain, 9};
static const char key_view_domain[64] = "\"view_domain\":";
static const char key_local_id[64] = "\"local_id\":";
static const char key_universal_id[64] = "\"universal_id\":";
static const struct element elements_metadatasubstreamid[] = {
    {P_OID, 0, O_NONE, 0, {key_local_id, 11, K_UINT, F_ZERO, 0, 0, 0, 0, 0, 0, 0, 0.0, 0.0, 1.0, 1.0, 0, 0, 0, 0, 0}},
    {P_FIX, 1, O_NONE, 0, {key_universal_id, 15, K_UUID, F_ZERO, 0, 0, 0, 0, 16, 16, 0, 0.0, 0.0, 1.0, 1.0, 0, 0, 0, 0, 0}}
};
static const struct pack pack_metadatasubstreamid = {elements_metadatasubstreamid, 2};
static const char key_metadata_substream_id[64] = "\"metadata_substream_id\":";
static const struct item items_st0601[144] = {
    [1] = {key_checksum, 11, K_UINT, 0, 0, 0, 0, 0, 2, 2, 0, 0.0, 65535.0, 1.0, 1.0, 0, 0, 0, 0, 0},
    [2] = {key_precision_time_stamp, 23, K_UINT, 0, 0, 0, 0, 0, 8, 8, 0, 0.0, 1.8446744073709552e+19, 1.0, 1.0, 0, 0, 0, 0, 0},
    [3] = {key_mission_id, 13, K_TEXT, F_ZERO, 0, 0, 0, 0, 0, 127, 0, 0.0, 0.0, 1.0, 1.0, 0, 0, 0, 0, 0},
    [4] = {key_platform_tail_number, 23, K_TEXT, F_ZERO, 0, 0, 0, 0, 0, 127, 0, 0.0, 0.0, 1.0, 1.0, 0, 0, 0, 0, 0},
    [5] = {key_platform_heading_angle, 25, K_LINEAR_UINT, F_ZERO, 3, 0, 0, 0, 2, 2, 0, 0.0, 360.0, 0.005493247882810712, 5.493247882810712, 0, 0, 0, 0, 0},
    [6] = {key_platform_pitch_angle, 23, K_LINEAR_INT, F_ZERO, 4, 0, 0, 0, 2, 2, 0, -20.0, 20.0, 0.0006103701895199438, 6.103701895199438, "\"out_of_range\"", 0, 0, 0, 0},
    [7] = {key_platform_roll_angle, 22, K_LINEAR_INT, F_ZERO, 3, 0, 0, 0, 2, 2, 0, -50.0, 50.0, 0.0015259254737998596, 1.5259254737998595, "\"out_of_range\"", 0, 0, 0, 0},
    [8] = {key_platform_true_airspeed, 25, K_UINT, F_ZERO, 0, 0, 0, 0, 1, 1, 0, 0.0, 255.0, 1.0, 1.0, 0, 0, 0, 0, 0},
    [9] = {key_platform_indicated_airspeed, 30, K_UINT, F_ZERO, 0, 0, 0, 0, 1, 1, 0, 0.0, 255.0, 1.0, 1.0, 0, 0, 0, 0, 0},
    [10] = {key_platform_designation, 23, K_TEXT, F_ZERO, 0, 0, 0, 0, 0, 127, 0, 0.0, 0.0, 1.0, 1.0, 0, 0, 0, 0, 0},
    [11] = {key_image_source_sensor, 22, K_TEXT, F_ZERO, 0, 0, 0, 0, 0, 127, 0, 0.0, 0.0, 1.0, 1.0, 0, 0, 0, 0, 0},
    [12] = {key_image_coordinate_system, 26, K_TEXT, F_ZERO, 0, 0, 0, 0, 0, 127, 0, 0.0, 0.0, 1.0, 1.0, 0, 0, 0, 0, 0},
    [13] = {key_sensor_latitude, 18, K_LINEAR_INT, F_ZERO, 8, 0, 0, 0, 4, 4, 0, -90.0, 90.0, 4.190951587721217e-08, 4.190951587721218, "\"reserved\"", 0, 0, 0, 0},
    [14] = {key_sensor_longitude, 19, K_LINEAR_INT, F_ZERO, 8, 0, 0, 0, 4, 4, 0, -180.0, 180.0, 8.381903175442434e-08, 8.381903175442435, "\"reserved\"", 0, 0, 0, 0},
    [15] = {key_sensor_true_altitude, 23, K_LINEAR_UINT, F_ZERO, 1, 0, 0, 0, 2, 2, 0, -900.0, 19000.0, 0.30365453574425877, 3.036545357442588, 0, 0, 0, 0, 0},
    [16] = {key_sensor_horizontal_field_of_view, 34, K_LINEAR_UINT, F_ZERO, 3, 0, 0, 0, 2, 2, 0, 0.0, 180.0, 0.002746623941405356, 2.746623941405356, 0, 0, 0, 0, 0},
    [17] = {key_sensor_vertical_field_of_view, 32, K_LINEAR_UINT, F_ZERO, 3, 0, 0, 0, 2, 2, 0, 0.0, 180.0, 0.002746623941405356, 2.746623941405356, 0, 0, 0, 0, 0},
    [18] = {key_sensor_relative_azimuth_angle, 32, K_LINEAR_UINT, F_ZERO, 8, 0, 0, 0, 4, 4, 0, 0.0, 360.0, 8.38190317349087e-08, 8.38190317349087, 0, 0, 0, 0, 0},
    [19] = {key_sensor_relative_elevation_angle, 34, K_LINEAR_INT, F_ZERO, 8, 0, 0, 0, 4, 4, 0, -180.0, 180.0, 8.381903175442434e-08, 8.381903175442435, "\"reserved\"", 0, 0, 0, 0},
    [20] = {key_sensor_relative_roll_angle, 29, K_LINEAR_UINT, F_ZERO, 8, 0, 0, 0, 4, 4, 0, 0.0, 360.0, 8.38190317349087e-08, 8.38190317349087, 0, 0, 0, 0, 0},
    [21] = {key_slant_range, 14, K_LINEAR_UINT, F_ZERO, 3, 0, 0, 0, 4, 4, 0, 0.0, 5000000.0, 0.0011641532185403987, 1.1641532185403987, 0, 0, 0, 0, 0},
    [22] = {key_target_width, 15, K_LINEAR_UINT, F_ZERO, 1, 0, 0, 0, 2, 2, 0, 0.0, 10000.0, 0.15259021896696423, 1.525902189669642, 0, 0, 0, 0, 0},
    [23] = {key_frame_center_latitude, 24, K_LINEAR_INT, F_ZERO, 8, 0, 0, 0, 4, 4, 0, -90.0, 90.0, 4.190951587721217e-08, 4.190951587721218, "\"off_earth\"", 0, 0, 0, 0},
    [24] = {key_frame_center_longitude, 25, K_LINEAR_INT, F_ZERO, 8, 0, 0, 0, 4, 4, 0, -180.0, 180.0, 8.381903175442434e-08, 8.381903175442435, "\"off_earth\"", 0, 0, 0, 0},
    [25] = {key_frame_center_elevation, 25, K_LINEAR_UINT, F_ZERO, 1, 0, 0, 0, 2, 2, 0, -900.0, 19000.0, 0.30365453574425877, 3.036545357442588, 0, 0, 0, 0, 0},
    [26] = {key_offset_corner_latitude_point_1, 33, K_LINEAR_INT, F_ZERO, 6, 0, 0, 0, 2, 2, 0, -0.075, 0.075, 2.2888882106997894e-06, 2.288888210699789, "\"off_earth\"", 0, 0, 0, 0},
    [27] = {key_offset_corner_longitude_point_1, 34, K_LINEAR_INT, F_ZERO, 6, 0, 0, 0, 2, 2, 0, -0.075, 0.075, 2.2888882106997894e-06, 2.288888210699789, "\"off_earth\"", 0, 0, 0, 0},
    [28] = {key_offset_corner_latitude_point_2, 33, K_LINEAR_INT, F_ZERO, 6, 0, 0, 0, 2, 2, 0, -0.075, 0.075, 2.2888882106997894e-06, 2.288888210699789, "\"off_earth\"", 0, 0, 0, 0},
    [29] = {key_offset_corner_longitude_point_2, 34, K_LINEAR_INT, F_ZERO, 6, 0, 0, 0, 2, 2, 0, -0.075, 0.075, 2.2888882106997894e-06, 2.288888210699789, "\"off_earth\"", 0, 0, 0, 0},
    [30] = {key_offset_corner_latitude_point_3, 33, K_LINEAR_INT, F_ZERO, 6, 0, 0, 0, 2, 2, 0, -0.075, 0.075, 2.2888882106997894e-06, 2.288888210699789, "\"off_earth\"", 0, 0, 0, 0},
    [31] = {key_offset_corner_longitude_point_3, 34, K_LINEAR_INT, F_ZERO, 6, 0, 0, 0, 2, 2, 0, -0.075, 0.075, 2.2888882106997894e-06, 2.288888210699789, "\"off_earth\"", 0, 0, 0, 0},
    [32] = {key_offset_corner_latitude_point_4, 33, K_LINEAR_INT, F_ZERO, 6, 0, 0, 0, 2, 2, 0, -0.075, 0.075, 2.2888882106997894e-06, 2.288888210699789, "\"off_earth\"", 0, 0, 0, 0},
    [33] = {key_offset_corner_longitude_point_4, 34, K_LINEAR_INT, F_ZERO, 6, 0, 0, 0, 2, 2, 0, -0.075, 0.075, 2.2888882106997894e-06, 2.288888210699789, "\"off_earth\"", 0, 0, 0, 0},
    [34] = {key_icing_detected, 17, K_ENUM, F_ZERO, 0, 0, 0, 0, 1, 1, 3, 0.0, 2.0, 1.0, 1.0, 0, codes_st0601_34_icing_detected, 0, 0, 0},
    [35] = {key_wind_direction, 17, K_LINEAR_UINT, F_ZERO, 3, 0, 0, 0, 2, 2, 0, 0.0, 360.0, 0.005493247882810712, 5.493247882810712, 0, 0, 0, 0, 0},
    [36] = {key_wind_speed, 13, K_LINEAR_UINT, F_ZERO, 1, 0, 0, 0, 1, 1, 0, 0.0, 100.0, 0.39215686274509803, 3.9215686274509802, 0, 0, 0, 0, 0},
    [37] = {key_static_pressure, 18, K_LINEAR_UINT, F_ZERO, 2, 0, 0, 0, 2, 2, 0, 0.0, 5000.0, 0.07629510948348212, 7.629510948348211, 0, 0, 0, 0, 0},
    [38] = {key_density_altitude, 19, K_LINEAR_UINT, F_ZERO, 1, 0, 0, 0, 2, 2, 0, -900.0, 19000.0, 0.30365453574425877, 3.036545357442588, 0, 0, 0, 0, 0},
    [39] = {key_outside_air_temperature, 26, K_INT, F_ZERO, 0, 0, 0, 0, 1, 1, 0, -128.0, 127.0, 1.0, 1.0, 0, 0, 0, 0, 0},
    [40] = {key_target_location_latitude, 27, K_LINEAR_INT, F_ZERO, 8, 0, 0, 0, 4, 4, 0, -90.0, 90.0, 4.190951587721217e-08, 4.190951587721218, "\"off_earth\"", 0, 0, 0, 0},
    [41] = {key_target_location_longitude, 28, K_LINEAR_INT, F_ZERO, 8, 0, 0, 0, 4, 4, 0, -180.0, 180.0, 8.381903175442434e-08, 8.381903175442435, "\"off_earth\"", 0, 0, 0, 0},
    [42] = {key_target_location_elevation, 28, K_LINEAR_UINT, F_ZERO, 1, 0, 0, 0, 2, 2, 0, -900.0, 19000.0, 0.30365453574425877, 3.036545357442588, 0, 0, 0, 0, 0},
    [43] = {key_target_track_gate_width, 26, K_LINEAR_UINT, F_ZERO, 0, 0, 0, 0, 1, 1, 0, 0.0, 510.0, 2.0, 2.0, 0, 0, 0, 0, 0},
    [44] = {key_target_track_gate_height, 27, K_LINEAR_UINT, F_ZERO, 0, 0, 0, 0, 1, 1, 0, 0.0, 510.0, 2.0, 2.0, 0, 0, 0, 0, 0},
    [45] = {key_target_error_estimate_ce90, 29, K_LINEAR_UINT, F_ZERO, 2, 0, 0, 0, 2, 2, 0, 0.0, 4095.0, 0.06248569466697185, 6.248569466697185, 0, 0, 0, 0, 0},
    [46] = {key_target_error_estimate_le90, 29, K_LINEAR_UINT, F_ZERO, 2, 0, 0, 0, 2, 2, 0, 0.0, 4095.0, 0.06248569466697185, 6.248569466697185, 0, 0, 0, 0, 0},
    [47] = {key_generic_flag_data, 20, K_BITS, F_ZERO, 0, 0, 0, 0, 1, 1, 6, 0.0, 63.0, 1.0, 1.0, 0, 0, bits_st0601_47, 0, 0},
    [48] = {key_security_local_set, 21, K_SET, F_ZERO, 0, 0, 0, 0, 0, 0, 0, 0.0, 0.0, 1.0, 1.0, 0, 0, 0, &set_st0102, 0},
    [49] = {key_differential_pressure, 24, K_LINEAR_UINT, F_ZERO, 2, 0, 0, 0, 2, 2, 0, 0.0, 5000.0, 0.07629510948348212, 7.629510948348211, 0, 0, 0, 0, 0},
    [50] = {key_platform_angle_of_attack, 27, K_LINEAR_INT, F_ZERO, 4, 0, 0, 0, 2, 2, 0, -20.0, 20.0, 0.0006103701895199438, 6.103701895199438, "\"out_of_range\"", 0, 0, 0, 0},
    [51] = {key_platform_vertical_speed, 26, K_LINEAR_INT, F_ZERO, 3, 0, 0, 0, 2, 2, 0, -180.0, 180.0, 0.005493331705679495, 5.493331705679495, "\"out_of_range\"", 0, 0, 0, 0},
    [52] = {key_platform_sideslip_angle, 26, K_LINEAR_INT, F_ZERO, 4, 0, 0, 0, 2, 2, 0, -20.0, 20.0, 0.0006103701895199438, 6.103701895199438, "\"out_of_range\"", 0, 0, 0, 0},
    [53] = {key_airfield_barometric_pressure, 31, K_LINEAR_UINT, F_ZERO, 2, 0, 0, 0, 2, 2, 0, 0.0, 5000.0, 0.07629510948348212, 7.629510948348211, 0, 0, 0, 0, 0},
    [54] = {key_airfield_elevation, 21, K_LINEAR_UINT, F_ZERO, 1, 0, 0, 0, 2, 2, 0, -900.0, 19000.0, 0.30365453574425877, 3.036545357442588, 0, 0, 0, 0, 0},
    [55] = {key_relative_humidity, 20, K_LINEAR_UINT, F_ZERO, 1, 0, 0, 0, 1, 1, 0, 0.0, 100.0, 0.39215686274509803, 3.9215686274509802, 0, 0, 0, 0, 0},
    [56] = {key_platform_ground_speed, 24, K_UINT, F_ZERO, 0, 0, 0, 0, 1, 1, 0, 0.0, 255.0, 1.0, 1.0, 0, 0, 0, 0, 0},
    [57] = {key_ground_range, 15, K_LINEAR_UINT, F_ZERO, 3, 0, 0, 0, 4, 4, 0, 0.0, 5000000.0, 0.0011641532185403987, 1.1641532185403987, 0, 0, 0, 0, 0},
    [58] = {key_platform_fuel_remaining, 26, K_LINEAR_UINT, F_ZERO, 1, 0, 0, 0, 2, 2, 0, 0.0, 10000.0, 0.15259021896696423, 1.525902189669642, 0, 0, 0, 0, 0},
    [59] = {key_platform_call_sign, 21, K_TEXT, F_ZERO, 0, 0, 0, 0, 0, 127, 0, 0.0, 0.0, 1.0, 1.0, 0, 0, 0, 0, 0},
    [60] = {key_weapon_load, 14, K_UINT, F_ZERO, 0, 0, 0, 0, 2, 2, 0, 0.0, 65535.0, 1.0, 1.0, 0, 0, 0, 0, 0},
    [61] = {key_weapon_fired, 15, K_UINT, F_ZERO, 0, 0, 0, 0, 1, 1, 0, 0.0, 255.0, 1.0, 1.0, 0, 0, 0, 0, 0},
    [62] = {key_laser_prf_code, 17, K_UINT, F_ZERO, 0, 0, 0, 0, 2, 2, 0, 111.0, 8888.0, 1.0, 1.0, 0, 0, 0, 0, 0},
    [63] = {key_sensor_field_of_view_name, 28, K_ENUM, F_ZERO, 0, 0, 0, 0, 1, 1, 9, 0.0, 8.0, 1.0, 1.0, 0, codes_st0601_63_sensor_field_of_view_name, 0, 0, 0},
    [64] = {key_platform_magnetic_heading, 28, K_LINEAR_UINT, F_ZERO, 3, 0, 0, 0, 2, 2, 0, 0.0, 360.0, 0.005493247882810712, 5.493247882810712, 0, 0, 0, 0, 0},
    [65] = {key_uas_datalink_ls_version_number, 33, K_UINT, 0, 0, 0, 0, 0, 1, 1, 0, 0.0, 255.0, 1.0, 1.0, 0, 0, 0, 0, 0},
    [66] = {key_deprecated_66, 16, K_BYTES, F_ZERO, 0, 0, 0, 0, 0, 0, 0, 0.0, 0.0, 1.0, 1.0, 0, 0, 0, 0, 0},
    [67] = {key_alternate_platform_latitude, 30, K_LINEAR_INT, F_ZERO, 8, 0, 0, 0, 4, 4, 0, -90.0, 90.0, 4.190951587721217e-08, 4.190951587721218, "\"reserved\"", 0, 0, 0, 0},
    [68] = {key_alternate_platform_longitude, 31, K_LINEAR_INT, F_ZERO, 8, 0, 0, 0, 4, 4, 0, -180.0, 180.0, 8.381903175442434e-08, 8.381903175442435, "\"reserved\"", 0, 0, 0, 0},
    [69] = {key_alternate_platform_altitude, 30, K_LINEAR_UINT, F_ZERO, 1, 0, 0, 0, 2, 2, 0, -900.0, 19000.0, 0.30365453574425877, 3.036545357442588, 0, 0, 0, 0, 0},
    [70] = {key_alternate_platform_name, 26, K_TEXT, F_ZERO, 0, 0, 0, 0, 0, 127, 0, 0.0, 0.0, 1.0, 1.0, 0, 0, 0, 0, 0},
    [71] = {key_alternate_platform_heading, 29, K_LINEAR_UINT, F_ZERO, 3, 0, 0, 0, 2, 2, 0, 0.0, 360.0, 0.005493247882810712, 5.493247882810712, 0, 0, 0, 0, 0},
    [72] = {key_event_start_time, 19, K_UINT, F_ZERO, 0, 0, 0, 0, 8, 8, 0, 0.0, 1.8446744073709552e+19, 1.0, 1.0, 0, 0, 0, 0, 0},
    [73] = {key_rvt_local_set, 16, K_SET, F_ZERO, 0, 0, 0, 0, 0, 0, 0, 0.0, 0.0, 1.0, 1.0, 0, 0, 0, &set_st0806, 0},
    [74] = {key_vmti_local_set, 17, K_SET, F_ZERO, 0, 0, 0, 0, 0, 0, 0, 0.0, 0.0, 1.0, 1.0, 0, 0, 0, &set_st0903, 0},
    [75] = {key_sensor_ellipsoid_height, 26, K_LINEAR_UINT, F_ZERO, 1, 0, 0, 0, 2, 2, 0, -900.0, 19000.0, 0.30365453574425877, 3.036545357442588, 0, 0, 0, 0, 0},
    [76] = {key_alternate_platform_ellipsoid_height, 38, K_LINEAR_UINT, F_ZERO, 1, 0, 0, 0, 2, 2, 0, -900.0, 19000.0, 0.30365453574425877, 3.036545357442588, 0, 0, 0, 0, 0},
    [77] = {key_operational_mode, 19, K_ENUM, F_ZERO, 0, 0, 0, 0, 1, 1, 6, 0.0, 5.0, 1.0, 1.0, 0, codes_st0601_77_operational_mode, 0, 0, 0},
    [78] = {key_frame_center_height_above_ellipsoid, 38, K_LINEAR_UINT, F_ZERO, 1, 0, 0, 0, 2, 2, 0, -900.0, 19000.0, 0.30365453574425877, 3.036545357442588, 0, 0, 0, 0, 0},
    [79] = {key_sensor_north_velocity, 24, K_LINEAR_INT, F_ZERO, 3, 0, 0, 0, 2, 2, 0, -327.0, 327.0, 0.009979552598651083, 9.979552598651082, "\"out_of_range\"", 0, 0, 0, 0},
    [80] = {key_sensor_east_velocity, 23, K_LINEAR_INT, F_ZERO, 3, 0, 0, 0, 2, 2, 0, -327.0, 327.0, 0.009979552598651083, 9.979552598651082, "\"out_of_range\"", 0, 0, 0, 0},
    [81] = {key_image_horizon_pixel_pack, 27, K_PACK, F_ZERO, 0, 0, 0, 0, 4, 20, 0, 0.0, 0.0, 1.0, 1.0, 0, 0, 0, 0, &pack_imagehorizon},
    [82] = {key_corner_latitude_point_1_full, 31, K_LINEAR_INT, F_ZERO, 8, 0, 0, 0, 4, 4, 0, -90.0, 90.0, 4.190951587721217e-08, 4.190951587721218, "\"off_earth\"", 0, 0, 0, 0},
    [83] = {key_corner_longitude_point_1_full, 32, K_LINEAR_INT, F_ZERO, 8, 0, 0, 0, 4, 4, 0, -180.0, 180.0, 8.381903175442434e-08, 8.381903175442435, "\"off_earth\"", 0, 0, 0, 0},
    [84] = {key_corner_latitude_point_2_full, 31, K_LINEAR_INT, F_ZERO, 8, 0, 0, 0, 4, 4, 0, -90.0, 90.0, 4.190951587721217e-08, 4.190951587721218, "\"off_earth\"", 0, 0, 0, 0},
    [85] = {key_corner_longitude_point_2_full, 32, K_LINEAR_INT, F_ZERO, 8, 0, 0, 0, 4, 4, 0, -180.0, 180.0, 8.381903175442434e-08, 8.381903175442435, "\"off_earth\"", 0, 0, 0, 0},
    [86] = {key_corner_latitude_point_3_full, 31, K_LINEAR_INT, F_ZERO, 8, 0, 0, 0, 4, 4, 0, -90.0, 90.0, 4.190951587721217e-08, 4.190951587721218, "\"off_earth\"", 0, 0, 0, 0},
    [87] = {key_corner_longitude_point_3_full, 32, K_LINEAR_INT, F_ZERO, 8, 0, 0, 0, 4, 4, 0, -180.0, 180.0, 8.381903175442434e-08, 8.381903175442435, "\"off_earth\"", 0, 0, 0, 0},
    [88] = {key_corner_latitude_point_4_full, 31, K_LINEAR_INT, F_ZERO, 8, 0, 0, 0, 4, 4, 0, -90.0, 90.0, 4.190951587721217e-08, 4.190951587721218, "\"off_earth\"", 0, 0, 0, 0},
    [89] = {key_corner_longitude_point_4_full, 32, K_LINEAR_INT, F_ZERO, 8, 0, 0, 0, 4, 4, 0, -180.0, 180.0, 8.381903175442434e-08, 8.381903175442435, "\"off_earth\"", 0, 0, 0, 0},
    [90] = {key_platform_pitch_angle_full, 28, K_LINEAR_INT, F_ZERO, 8, 0, 0, 0, 4, 4, 0, -90.0, 90.0, 4.190951587721217e-08, 4.190951587721218, "\"out_of_range\"", 0, 0, 0, 0},
    [91] = {key_platform_roll_angle_full, 27, K_LINEAR_INT, F_ZERO, 8, 0, 0, 0, 4, 4, 0, -90.0, 90.0, 4.190951587721217e-08, 4.190951587721218, "\"out_of_range\"", 0, 0, 0, 0},
    [92] = {key_platform_angle_of_attack_full, 32, K_LINEAR_INT, F_ZERO, 8, 0, 0, 0, 4, 4, 0, -90.0, 90.0, 4.190951587721217e-08, 4.190951587721218, "\"out_of_range\"", 0, 0, 0, 0},
    [93] = {key_platform_sideslip_angle_full, 31, K_LINEAR_INT, F_ZERO, 8, 0, 0, 0, 4, 4, 0, -180.0, 180.0, 8.381903175442434e-08, 8.381903175442435, "\"out_of_range\"", 0, 0, 0, 0},
    [94] = {key_miis_core_identifier, 23, K_MIIS, F_ZERO, 0, 0, 0, 0, 18, 50, 0, 0.0, 0.0, 1.0, 1.0, 0, 0, 0, 0, 0},
    [95] = {key_sar_motion_imagery_local_set, 31, K_SET, F_ZERO, 0, 0, 0, 0, 0, 0, 0, 0.0, 0.0, 1.0, 1.0, 0, 0, 0, &set_st1206, 0},
    [96] = {key_target_width_extended, 24, K_IMAPB, F_ZERO, 0, 0, 21, 0, 1, 8, 0, 0.0, 1500000.0, 1.0, 1.0, 0, 0, 0, 0, 0},
    [97] = {key_range_image_local_set, 24, K_SET, F_ZERO, 0, 0, 0, 0, 0, 0, 0, 0.0, 0.0, 1.0, 1.0, 0, 0, 0, &set_st1002, 0},
    [98] = {key_geo_registration_local_set, 29, K_SET, F_ZERO, 0, 0, 0, 0, 0, 0, 0, 0.0, 0.0, 1.0, 1.0, 0, 0, 0, &set_st1601, 0},
    [99] = {key_composite_imaging_local_set, 30, K_SET, F_ZERO, 0, 0, 0, 0, 0, 0, 0, 0.0, 0.0, 1.0, 1.0, 0, 0, 0, &set_st1602, 0},
    [100] = {key_segment_local_set, 20, K_SET, F_REPEATS, 0, 0, 0, 0, 0, 0, 0, 0.0, 0.0, 1.0, 1.0, 0, 0, 0, &set_st0601, 0},
    [101] = {key_amend_local_set, 18, K_SET, F_REPEATS | F_AMEND, 0, 0, 0, 0, 0, 0, 0, 0.0, 0.0, 1.0, 1.0, 0, 0, 0, &set_st0601, 0},
    [102] = {key_sdcc_flp, 11, K_SDCC, F_REPEATS, 0, 0, 0, 0, 2, 0, 0, 0.0, 0.0, 1.0, 1.0, 0, 0, 0, 0, 0},
    [103] = {key_density_altitude_extended, 28, K_IMAPB, F_ZERO, 0, 0, 16, 0, 1, 8, 0, -900.0, 40000.0, 1.0, 1.0, 0, 0, 0, 0, 0},
    [104] = {key_sensor_ellipsoid_height_extended, 35, K_IMAPB, F_ZERO, 0, 0, 16, 0, 1, 8, 0, -900.0, 40000.0, 1.0, 1.0, 0, 0, 0, 0, 0},
    [105] = {key_alternate_platform_ellipsoid_height_extended, 47, K_IMAPB, F_ZERO, 0, 0, 16, 0, 1, 8, 0, -900.0, 40000.0, 1.0, 1.0, 0, 0, 0, 0, 0},
    [106] = {key_stream_designator, 20, K_TEXT, F_ZERO, 0, 0, 0, 0, 0, 127, 0, 0.0, 0.0, 1.0, 1.0, 0, 0, 0, 0, 0},
    [107] = {key_operational_base, 19, K_TEXT, F_ZERO, 0, 0, 0, 0, 0, 127, 0, 0.0, 0.0, 1.0, 1.0, 0, 0, 0, 0, 0},
    [108] = {key_broadcast_source, 19, K_TEXT, F_ZERO, 0, 0, 0, 0, 0, 127, 0, 0.0, 0.0, 1.0, 1.0, 0, 0, 0, 0, 0},
    [109] = {key_range_to_recovery_location, 29, K_IMAPB, F_ZERO, 0, 0, 15, 0, 1, 4, 0, 0.0, 21000.0, 1.0, 1.0, 0, 0, 0, 0, 0},
    [110] = {key_time_airborne, 16, K_UINT, F_ZERO, 0, 0, 0, 0, 1, 4, 0, 0.0, 4294967295.0, 1.0, 1.0, 0, 0, 0, 0, 0},
    [111] = {key_propulsion_unit_speed, 24, K_UINT, F_ZERO, 0, 0, 0, 0, 1, 4, 0, 0.0, 4294967295.0, 1.0, 1.0, 0, 0, 0, 0, 0},
    [112] = {key_platform_course_angle, 24, K_IMAPB, F_ZERO, 0, 0, 9, 0, 1, 8, 0, 0.0, 360.0, 1.0, 1.0, 0, 0, 0, 0, 0},
    [113] = {key_altitude_agl, 15, K_IMAPB, F_ZERO, 0, 0, 16, 0, 1, 4, 0, -900.0, 40000.0, 1.0, 1.0, 0, 0, 0, 0, 0},
    [114] = {key_radar_altimeter, 18, K_IMAPB, F_ZERO, 0, 0, 16, 0, 1, 4, 0, -900.0, 40000.0, 1.0, 1.0, 0, 0, 0, 0, 0},
    [115] = {key_control_command, 18, K_PACK, F_REPEATS, 0, 0, 0, 0, 2, 0, 0, 0.0, 0.0, 1.0, 1.0, 0, 0, 0, 0, &pack_controlcommand},
    [116] = {key_control_command_verification_list, 36, K_PACK_LIST, F_ZERO, 0, 0, 0, 0, 1, 0, 0, 0.0, 0.0, 1.0, 1.0, 0, 0, 0, 0, &pack_commandverification},
    [117] = {key_sensor_azimuth_rate, 22, K_IMAPB, F_ZERO, 0, 0, 11, 0, 1, 4, 0, -1000.0, 1000.0, 1.0, 1.0, 0, 0, 0, 0, 0},
    [118] = {key_sensor_elevation_rate, 24, K_IMAPB, F_ZERO, 0, 0, 11, 0, 1, 4, 0, -1000.0, 1000.0, 1.0, 1.0, 0, 0, 0, 0, 0},
    [119] = {key_sensor_roll_rate, 19, K_IMAPB, F_ZERO, 0, 0, 11, 0, 1, 4, 0, -1000.0, 1000.0, 1.0, 1.0, 0, 0, 0, 0, 0},
    [120] = {key_on_board_mi_storage_percent_full, 35, K_IMAPB, F_ZERO, 0, 0, 7, 0, 1, 3, 0, 0.0, 100.0, 1.0, 1.0, 0, 0, 0, 0, 0},
    [121] = {key_active_wavelength_list, 25, K_PACK_LIST, F_ZERO, 0, 0, 0, 0, 1, 0, 0, 0.0, 0.0, 1.0, 1.0, 0, 0, 0, 0, &pack_activewavelengths},
    [122] = {key_country_codes, 16, K_PACK, F_ZERO, 0, 0, 0, 0, 2, 0, 0, 0.0, 0.0, 1.0, 1.0, 0, 0, 0, 0, &pack_countrycodes},
    [123] = {key_number_of_navsats_in_view, 28, K_UINT, F_ZERO, 0, 0, 0, 0, 1, 1, 0, 0.0, 255.0, 1.0, 1.0, 0, 0, 0, 0, 0},
    [124] = {key_positioning_method_source, 28, K_BITS, F_ZERO, 0, 0, 0, 0, 1, 1, 8, 1.0, 255.0, 1.0, 1.0, 0, 0, bits_st0601_124, 0, 0},
    [125] = {key_platform_status, 18, K_ENUM, F_ZERO, 0, 0, 0, 0, 1, 1, 13, 0.0, 12.0, 1.0, 1.0, 0, codes_st0601_125_platform_status, 0, 0, 0},
    [126] = {key_sensor_control_mode, 22, K_ENUM, F_ZERO, 0, 0, 0, 0, 1, 1, 7, 0.0, 6.0, 1.0, 1.0, 0, codes_st0601_126_sensor_control_mode, 0, 0, 0},
    [127] = {key_sensor_frame_rate_pack, 25, K_PACK, F_ZERO, 0, 0, 0, 0, 1, 16, 0, 0.0, 0.0, 1.0, 1.0, 0, 0, 0, 0, &pack_framerate},
    [128] = {key_wavelengths_list, 19, K_PACK, F_ZERO, 0, 0, 0, 0, 2, 0, 0, 0.0, 0.0, 1.0, 1.0, 0, 0, 0, 0, &pack_wavelengthrecord},
    [129] = {key_target_id, 12, K_TEXT, F_ZERO, 0, 0, 0, 0, 0, 32, 0, 0.0, 0.0, 1.0, 1.0, 0, 0, 0, 0, 0},
    [130] = {key_airbase_locations, 20, K_PACK, F_ZERO, 0, 0, 0, 0, 1, 24, 0, 0.0, 0.0, 1.0, 1.0, 0, 0, 0, 0, &pack_airbaselocations},
    [131] = {key_take_off_time, 16, K_UINT, F_ZERO, 0, 0, 0, 0, 1, 8, 0, 0.0, 1.8446744073709552e+19, 1.0, 1.0, 0, 0, 0, 0, 0},
    [132] = {key_transmission_frequency, 25, K_IMAPB, F_ZERO, 0, 0, 17, 0, 1, 4, 0, 1.0, 99999.0, 1.0, 1.0, 0, 0, 0, 0, 0},
    [133] = {key_on_board_mi_storage_capacity, 31, K_UINT, F_ZERO, 0, 0, 0, 0, 1, 4, 0, 0.0, 4294967295.0, 1.0, 1.0, 0, 0, 0, 0, 0},
    [134] = {key_zoom_percentage, 18, K_IMAPB, F_ZERO, 0, 0, 7, 0, 1, 4, 0, 0.0, 100.0, 1.0, 1.0, 0, 0, 0, 0, 0},
    [135] = {key_communications_method, 24, K_TEXT, F_ZERO, 0, 0, 0, 0, 0, 127, 0, 0.0, 0.0, 1.0, 1.0, 0, 0, 0, 0, 0},
    [136] = {key_leap_seconds, 15, K_INT, F_ZERO, 0, 0, 0, 0, 1, 4, 0, -2147483648.0, 2147483647.0, 1.0, 1.0, 0, 0, 0, 0, 0},
    [137] = {key_correction_offset, 20, K_INT, F_ZERO, 0, 0, 0, 0, 1, 8, 0, -9.223372036854776e+18, 9.223372036854776e+18, 1.0, 1.0, 0, 0, 0, 0, 0},
    [138] = {key_payload_list, 15, K_PACK, F_ZERO, 0, 0, 0, 0, 1, 0, 0, 0.0, 0.0, 1.0, 1.0, 0, 0, 0, 0, &pack_payloadrecord},
    [139] = {key_active_payloads, 18, K_BIT_LIST, F_ZERO, 0, 0, 0, 0, 1, 0, 0, 0.0, 0.0, 1.0, 1.0, 0, 0, 0, 0, 0},
    [140] = {key_weapons_stores, 17, K_PACK, F_ZERO, 0, 0, 0, 0, 2, 0, 0, 0.0, 0.0, 1.0, 1.0, 0, 0, 0, 0, &pack_weaponrecord},
    [141] = {key_waypoint_list, 16, K_PACK, F_ZERO, 0, 0, 0, 0, 2, 0, 0, 0.0, 0.0, 1.0, 1.0, 0, 0, 0, 0, &pack_waypointrecord},
    [142] = {key_view_domain, 14, K_PACK, F_ZERO, 0, 0, 0, 0, 1, 0, 0, 0.0, 0.0, 1.0, 1.0, 0, 0, 0, 0, &pack_viewdomain},
    [143] = {key_metadata_substream_id, 24, K_PACK, 0, 0, 0, 0, 0, 1, 17, 0, 0.0, 0.0, 1.0, 1.0, 0, 0, 0, 0, &pack_metadatasubstreamid}
};
static const struct code codes_st0102_1_security_classification[] = {{1, "\"Unclassified\""}, {2, "\"Restricted\""}, {3, "\"Confidential\""}, {4, "\"Secret\""}, {5, "\"Top Secret\""}};
static const char key_security_classification[64] = "\"security_classification\":";
static const struct code codes_st0102_2_country_coding_method[] = {{1, "\"ISO-3166 Two Letter\""}, {2, "\"ISO-3166 Three Letter\""}, {3, "\"FIPS 10-4 Two Letter\""}, {4, "\"FIPS 10-4 Four Letter\""}, {5, "\"ISO-3166 Numeric\""}, {6, "\"1059 Two Letter\""}, {7, "\"1059 Three Letter\""}, {8, "\"Omitted Value\""}, {9, "\"Omitted Value\""}, {10, "\"FIPS 10-4 Mixed\""}, {11, "\"ISO 3166 Mixed\""}, {12, "\"STANAG 1059 Mixed\""}, {13, "\"GENC Two Letter\""}, {14, "\"GENC Three Letter\""}, {15, "\"GENC Numeric\""}, {16, "\"GENC Mixed\""}};
static const char key_country_coding_method[64] = "\"country_coding_method\":";
static const char key_classifying_country[64] = "\"classifying_country\":";
static const char key_sci_shi_information[64] = "\"sci_shi_information\":";
static const char key_caveats[64] = "\"caveats\":";
static const char key_releasing_instructions[64] = "\"releasing_instructions\":";
static const char key_classified_by[64] = "\"classified_by\":";
static const char key_derived_from[64] = "\"derived_from\":";
static const char key_classification_reason[64] = "\"classification_reason\":";
static const char key_declassification_date[64] = "\"declassification_date\":";
static const char key_classification_and_marking_system[64] = "\"classification_and_marking_system\":";
static const struct code codes_st0102_12_object_country_coding_method[] = {{1, "\"ISO-3166 Two Letter\""}, {2, "\"ISO-3166 Three Letter\""}, {3, "\"ISO-3166 Numeric\""}, {4, "\"FIPS 10-4 Two Letter\""}, {5, "\"FIPS 10-4 Four Letter\""}, {6, "\"1059 Two Letter\""}, {7, "\"1059 Three Letter\""}, {8, "\"Omitted Value\""}, {9, "\"Omitted Value\""}, {10, "\"Omitted Value\""}, {11, "\"Omitted Value\""}, {12, "\"Omitted Value\""}, {13, "\"GENC Two Letter\""}, {14, "\"GENC Three Letter\""}, {15, "\"GENC Numeric\""}, {64, "\"GENC AdminSub\""}};
static const char key_object_country_coding_method[64] = "\"object_country_coding_method\":";
static const char key_object_country_codes[64] = "\"object_country_codes\":";
static const char key_classification_comments[64] = "\"classification_comments\":";
static const char key_umid_video[64] = "\"umid_video\":";
static const char key_umid_audio[64] = "\"umid_audio\":";
static const char key_umid_data[64] = "\"umid_data\":";
static const char key_umid_system[64] = "\"umid_system\":";
static const char key_stream_id[64] = "\"stream_id\":";
static const char key_transport_stream_id[64] = "\"transport_stream_id\":";
static const char key_item_designator_id[64] = "\"item_designator_id\":";
static const char key_version[64] = "\"version\":";
static const char key_country_coding_method_version_date[64] = "\"country_coding_method_version_date\":";
static const char key_object_country_coding_method_version_date[64] = "\"object_country_coding_method_version_date\":";
static const struct item items_st0102[25] = {
    [1] = {key_security_classification, 26, K_ENUM, F_ZERO, 0, 0, 0, 0, 1, 1, 5, 1.0, 5.0, 1.0, 1.0, 0, codes_st0102_1_security_classification, 0, 0, 0},
    [2] = {key_country_coding_method, 24, K_ENUM, F_ZERO, 0, 0, 0, 0, 1, 1, 16, 1.0, 16.0, 1.0, 1.0, 0, codes_st0102_2_country_coding_method, 0, 0, 0},
    [3] = {key_classifying_country, 22, K_TEXT, F_ZERO, 0, 0, 0, 0, 0, 0, 0, 0.0, 0.0, 1.0, 1.0, 0, 0, 0, 0, 0},
    [4] = {key_sci_shi_information, 22, K_TEXT, F_ZERO, 0, 0, 0, 0, 0, 0, 0, 0.0, 0.0, 1.0, 1.0, 0, 0, 0, 0, 0},
    [5] = {key_caveats, 10, K_TEXT, F_ZERO, 0, 0, 0, 0, 0, 0, 0, 0.0, 0.0, 1.0, 1.0, 0, 0, 0, 0, 0},
    [6] = {key_releasing_instructions, 25, K_TEXT, F_ZERO, 0, 0, 0, 0, 0, 0, 0, 0.0, 0.0, 1.0, 1.0, 0, 0, 0, 0, 0},
    [7] = {key_classified_by, 16, K_TEXT, F_ZERO, 0, 0, 0, 0, 0, 0, 0, 0.0, 0.0, 1.0, 1.0, 0, 0, 0, 0, 0},
    [8] = {key_derived_from, 15, K_TEXT, F_ZERO, 0, 0, 0, 0, 0, 0, 0, 0.0, 0.0, 1.0, 1.0, 0, 0, 0, 0, 0},
    [9] = {key_classification_reason, 24, K_TEXT, F_ZERO, 0, 0, 0, 0, 0, 0, 0, 0.0, 0.0, 1.0, 1.0, 0, 0, 0, 0, 0},
    [10] = {key_declassification_date, 24, K_TEXT, F_ZERO, 0, 0, 0, 0, 8, 8, 0, 0.0, 0.0, 1.0, 1.0, 0, 0, 0, 0, 0},
    [11] = {key_classification_and_marking_system, 36, K_TEXT, F_ZERO, 0, 0, 0, 0, 0, 0, 0, 0.0, 0.0, 1.0, 1.0, 0, 0, 0, 0, 0},
    [12] = {key_object_country_coding_method, 31, K_ENUM, F_ZERO, 0, 0, 0, 0, 1, 1, 16, 1.0, 64.0, 1.0, 1.0, 0, codes_st0102_12_object_country_coding_method, 0, 0, 0},
    [13] = {key_object_country_codes, 23, K_UTF16, F_ZERO, 0, 0, 0, 0, 0, 0, 0, 0.0, 0.0, 1.0, 1.0, 0, 0, 0, 0, 0},
    [14] = {key_classification_comments, 26, K_TEXT, F_ZERO, 0, 0, 0, 0, 0, 0, 0, 0.0, 0.0, 1.0, 1.0, 0, 0, 0, 0, 0},
    [15] = {key_umid_video, 13, K_BYTES, F_ZERO, 0, 0, 0, 0, 32, 32, 0, 0.0, 0.0, 1.0, 1.0, 0, 0, 0, 0, 0},
    [16] = {key_umid_audio, 13, K_BYTES, F_ZERO, 0, 0, 0, 0, 32, 32, 0, 0.0, 0.0, 1.0, 1.0, 0, 0, 0, 0, 0},
    [17] = {key_umid_data, 12, K_BYTES, F_ZERO, 0, 0, 0, 0, 32, 32, 0, 0.0, 0.0, 1.0, 1.0, 0, 0, 0, 0, 0},
    [18] = {key_umid_system, 14, K_BYTES, F_ZERO, 0, 0, 0, 0, 32, 32, 0, 0.0, 0.0, 1.0, 1.0, 0, 0, 0, 0, 0},
    [19] = {key_stream_id, 12, K_UINT, F_ZERO, 0, 0, 0, 0, 1, 1, 0, 0.0, 255.0, 1.0, 1.0, 0, 0, 0, 0, 0},
    [20] = {key_transport_stream_id, 22, K_UINT, F_ZERO, 0, 0, 0, 0, 2, 2, 0, 0.0, 65535.0, 1.0, 1.0, 0, 0, 0, 0, 0},
    [21] = {key_item_designator_id, 21, K_BYTES, F_ZERO, 0, 0, 0, 0, 16, 16, 0, 0.0, 0.0, 1.0, 1.0, 0, 0, 0, 0, 0},
    [22] = {key_version, 10, K_UINT, F_ZERO, 0, 0, 0, 0, 2, 2, 0, 0.0, 65535.0, 1.0, 1.0, 0, 0, 0, 0, 0},
    [23] = {key_country_coding_method_version_date, 37, K_TEXT, F_ZERO, 0, 0, 0, 0, 10, 10, 0, 0.0, 0.0, 1.0, 1.0, 0, 0, 0, 0, 0},
    [24] = {key_object_country_coding_method_version_date, 44, K_TEXT, F_ZERO, 0, 0, 0, 0, 10, 10, 0, 0.0, 0.0, 1.0, 1.0, 0, 0, 0, 0, 0}
};
static const char key_vmti_system_name[64] = "\"vmti_system_name\":";
static const char key_vmti_ls_version[64] = "\"vmti_ls_version\":";
static const char key_total_num_targets_detected[64] = "\"total_num_targets_detected\":";
static const char key_num_targets_reported[64] = "\"num_targets_reported\":";
static const char key_frame_number[64] = "\"frame_number\":";
static const char key_frame_width[64] = "\"frame_width\":";
static const char key_frame_height[64] = "\"frame_height\":";
static const char key_vmti_source_sensor[64] = "\"vmti_source_sensor\":";
static const char key_vmti_horizontal_fov[64] = "\"vmti_horizontal_fov\":";
static const char key_vmti_vertical_fov[64] = "\"vmti_vertical_fov\":";
static const char key_miis_id[64] = "\"miis_id\":";
static const char key_vtarget_series[64] = "\"vtarget_series\":";
static const char key_algorithm_series[64] = "\"algorithm_series\":";
static const char key_ontology_series[64] = "\"ontology_series\":";
static const struct item items_st0903[104] = {
    [1] = {key_checksum, 11, K_UINT, 0, 0, 0, 0, 0, 2, 2, 0, 0.0, 65535.0, 1.0, 1.0, 0, 0, 0, 0, 0},
    [2] = {key_precision_time_stamp, 23, K_UINT, F_ZERO, 0, 0, 0, 0, 8, 8, 0, 0.0, 1.8446744073709552e+19, 1.0, 1.0, 0, 0, 0, 0, 0},
    [3] = {key_vmti_system_name, 19, K_TEXT, F_ZERO, 0, 0, 0, 0, 1, 128, 0, 0.0, 0.0, 1.0, 1.0, 0, 0, 0, 0, 0},
    [4] = {key_vmti_ls_version, 18, K_UINT, F_ZERO, 0, 0, 0, 0, 1, 2, 0, 1.0, 65535.0, 1.0, 1.0, 0, 0, 0, 0, 0},
    [5] = {key_total_num_targets_detected, 29, K_UINT, F_ZERO, 0, 0, 0, 0, 1, 3, 0, 0.0, 16777215.0, 1.0, 1.0, 0, 0, 0, 0, 0},
    [6] = {key_num_targets_reported, 23, K_UINT, F_ZERO, 0, 0, 0, 0, 1, 3, 0, 0.0, 16777215.0, 1.0, 1.0, 0, 0, 0, 0, 0},
    [7] = {key_frame_number, 15, K_UINT, F_ZERO, 0, 0, 0, 0, 1, 3, 0, 0.0, 16777215.0, 1.0, 1.0, 0, 0, 0, 0, 0},
    [8] = {key_frame_width, 14, K_UINT, F_ZERO, 0, 0, 0, 0, 1, 3, 0, 1.0, 16777215.0, 1.0, 1.0, 0, 0, 0, 0, 0},
    [9] = {key_frame_height, 15, K_UINT, F_ZERO, 0, 0, 0, 0, 1, 3, 0, 1.0, 16777215.0, 1.0, 1.0, 0, 0, 0, 0, 0},
    [10] = {key_vmti_source_sensor, 21, K_TEXT, F_ZERO, 0, 0, 0, 0, 1, 512, 0, 0.0, 0.0, 1.0, 1.0, 0, 0, 0, 0, 0},
    [11] = {key_vmti_horizontal_fov, 22, K_IMAPB, F_ZERO, 0, 2, 8, 0, 2, 2, 0, 0.0, 180.0, 1.0, 1.0, 0, 0, 0, 0, 0},
    [12] = {key_vmti_vertical_fov, 20, K_IMAPB, F_ZERO, 0, 2, 8, 0, 2, 2, 0, 0.0, 180.0, 1.0, 1.0, 0, 0, 0, 0, 0},
    [13] = {key_miis_id, 10, K_MIIS, F_ZERO, 0, 0, 0, 0, 18, 66, 0, 0.0, 0.0, 1.0, 1.0, 0, 0, 0, 0, 0},
    [101] = {key_vtarget_series, 17, K_TARGETS, F_ZERO, 0, 0, 0, 0, 0, 0, 0, 0.0, 0.0, 1.0, 1.0, 0, 0, 0, &set_vtarget, 0},
    [102] = {key_algorithm_series, 19, K_SERIES, F_ZERO, 0, 0, 0, 0, 0, 0, 0, 0.0, 0.0, 1.0, 1.0, 0, 0, 0, &set_algorithm, 0},
    [103] = {key_ontology_series, 18, K_SERIES, F_ZERO, 0, 0, 0, 0, 0, 0, 0, 0.0, 0.0, 1.0, 1.0, 0, 0, 0, &set_ontology, 0}
};
static const char key_target_centroid[64] = "\"target_centroid\":";
static const char key_bounding_box_top_left[64] = "\"bounding_box_top_left\":";
static const char key_bounding_box_bottom_right[64] = "\"bounding_box_bottom_right\":";
static const char key_target_priority[64] = "\"target_priority\":";
static const char key_target_confidence_level[64] = "\"target_confidence_level\":";
static const char key_target_history[64] = "\"target_history\":";
static const char key_percentage_of_target_pixels[64] = "\"percentage_of_target_pixels\":";
static const char key_target_color[64] = "\"target_color\":";
static const char key_target_intensity[64] = "\"target_intensity\":";
static const char key_target_location_offset_lat[64] = "\"target_location_offset_lat\":";
static const char key_target_location_offset_lon[64] = "\"target_location_offset_lon\":";
static const char key_target_hae[64] = "\"target_hae\":";
static const char key_bounding_box_top_left_lat_offset[64] = "\"bounding_box_top_left_lat_offset\":";
static const char key_bounding_box_top_left_lon_offset[64] = "\"bounding_box_top_left_lon_offset\":";
static const char key_bounding_box_bottom_right_lat_offset[64] = "\"bounding_box_bottom_right_lat_offset\":";
static const char key_bounding_box_bottom_right_lon_offset[64] = "\"bounding_box_bottom_right_lon_offset\":";
static const char key_sigma_east[64] = "\"sigma_east\":";
static const char key_sigma_north[64] = "\"sigma_north\":";
static const char key_sigma_up[64] = "\"sigma_up\":";
static const char key_rho_east_north[64] = "\"rho_east_north\":";
static const char key_rho_east_up[64] = "\"rho_east_up\":";
static const char key_rho_north_up[64] = "\"rho_north_up\":";
static const struct element elements_location[] = {
    {P_FIX, 0, O_NONE, 0, {key_latitude, 11, K_IMAPB, F_ZERO, 0, 2, 8, 0, 4, 4, 0, -90.0, 90.0, 1.0, 1.0, 0, 0, 0, 0, 0}},
    {P_FIX, 0, O_NONE, 0, {key_longitude, 12, K_IMAPB, F_ZERO, 0, 2, 9, 0, 4, 4, 0, -180.0, 180.0, 1.0, 1.0, 0, 0, 0, 0, 0}},
    {P_FIX, 0, O_NONE, 0, {key_hae, 6, K_IMAPB, F_ZERO, 0, 2, 15, 0, 2, 2, 0, -900.0, 19000.0, 1.0, 1.0, 0, 0, 0, 0, 0}},
    {P_FIX, 1, O_NONE, 0, {key_sigma_east, 13, K_IMAPB, F_ZERO, 0, 2, 10, 0, 2, 2, 0, 0.0, 650.0, 1.0, 1.0, 0, 0, 0, 0, 0}},
    {P_FIX, 1, O_NONE, 0, {key_sigma_north, 14, K_IMAPB, F_ZERO, 0, 2, 10, 0, 2, 2, 0, 0.0, 650.0, 1.0, 1.0, 0, 0, 0, 0, 0}},
    {P_FIX, 1, O_NONE, 0, {key_sigma_up, 11, K_IMAPB, F_ZERO, 0, 2, 10, 0, 2, 2, 0, 0.0, 650.0, 1.0, 1.0, 0, 0, 0, 0, 0}},
    {P_FIX, 1, O_NONE, 0, {key_rho_east_north, 17, K_IMAPB, F_ZERO, 0, 2, 1, 0, 2, 2, 0, -1.0, 1.0, 1.0, 1.0, 0, 0, 0, 0, 0}},
    {P_FIX, 1, O_NONE, 0, {key_rho_east_up, 14, K_IMAPB, F_ZERO, 0, 2, 1, 0, 2, 2, 0, -1.0, 1.0, 1.0, 1.0, 0, 0, 0, 0, 0}},
    {P_FIX, 1, O_NONE, 0, {key_rho_north_up, 15, K_IMAPB, F_ZERO, 0, 2, 1, 0, 2, 2, 0, -1.0, 1.0, 1.0, 1.0, 0, 0, 0, 0, 0}}
};
static const struct pack pack_location = {elements_location, 9};
static const char key_target_location[64] = "\"target_location\":";
static const char key_geospatial_contour_series[64] = "\"geospatial_contour_series\":";
static const char key_centroid_pix_row[64] = "\"centroid_pix_row\":";
static const char key_centroid_pix_col[64] = "\"centroid_pix_col\":";
static const char key_row[64] = "\"row\":";
static const char key_column[64] = "\"column\":";
static const struct element elements_fpaindex[] = {
    {P_FIX, 0, O_NONE, 0, {key_row, 6, K_UINT, F_ZERO, 0, 0, 0, 0, 1, 1, 0, 1.0, 255.0, 1.0, 1.0, 0, 0, 0, 0, 0}},
    {P_FIX, 0, O_NONE, 0, {key_column, 9, K_UINT, F_ZERO, 0, 0, 0, 0, 1, 1, 0, 1.0, 255.0, 1.0, 1.0, 0, 0, 0, 0, 0}}
};
static const struct pack pack_fpaindex = {elements_fpaindex, 2};
static const char key_fpa_index[64] = "\"fpa_index\":";
static const char key_algorithm_id[64] = "\"algorithm_id\":";
static const struct code codes_vtarget_23_detection_status[] = {{0, "\"Inactive\""}, {1, "\"Active-Moving\""}, {2, "\"Dropped\""}, {3, "\"Active-Stopped\""}, {4, "\"Active-Coasting\""}};
static const char key_detection_status[64] = "\"detection_status\":";
static const char key_vmask[64] = "\"vmask\":";
static const char key_vobject[64] = "\"vobject\":";
static const char key_vfeature[64] = "\"vfeature\":";
static const char key_vtracker[64] = "\"vtracker\":";
static const char key_vchip[64] = "\"vchip\":";
static const char key_vchip_series[64] = "\"vchip_series\":";
static const char key_vobject_series[64] = "\"vobject_series\":";
static const struct item items_vtarget[108] = {
    [1] = {key_target_centroid, 18, K_UINT, F_ZERO, 0, 0, 0, 0, 1, 6, 0, 1.0, 281474976710655.0, 1.0, 1.0, 0, 0, 0, 0, 0},
    [2] = {key_bounding_box_top_left, 24, K_UINT, F_ZERO, 0, 0, 0, 0, 1, 6, 0, 1.0, 281474976710655.0, 1.0, 1.0, 0, 0, 0, 0, 0},
    [3] = {key_bounding_box_bottom_right, 28, K_UINT, F_ZERO, 0, 0, 0, 0, 1, 6, 0, 1.0, 281474976710655.0, 1.0, 1.0, 0, 0, 0, 0, 0},
    [4] = {key_target_priority, 18, K_UINT, F_ZERO, 0, 0, 0, 0, 1, 1, 0, 1.0, 255.0, 1.0, 1.0, 0, 0, 0, 0, 0},
    [5] = {key_target_confidence_level, 26, K_UINT, F_ZERO, 0, 0, 0, 0, 1, 1, 0, 0.0, 100.0, 1.0, 1.0, 0, 0, 0, 0, 0},
    [6] = {key_target_history, 17, K_UINT, F_ZERO, 0, 0, 0, 0, 1, 2, 0, 0.0, 65535.0, 1.0, 1.0, 0, 0, 0, 0, 0},
    [7] = {key_percentage_of_target_pixels, 30, K_UINT, F_ZERO, 0, 0, 0, 0, 1, 1, 0, 1.0, 100.0, 1.0, 1.0, 0, 0, 0, 0, 0},
    [8] = {key_target_color, 15, K_BYTES, F_ZERO, 0, 0, 0, 0, 3, 3, 0, 0.0, 0.0, 1.0, 1.0, 0, 0, 0, 0, 0},
    [9] = {key_target_intensity, 19, K_UINT, F_ZERO, 0, 0, 0, 0, 1, 3, 0, 0.0, 16777215.0, 1.0, 1.0, 0, 0, 0, 0, 0},
    [10] = {key_target_location_offset_lat, 29, K_IMAPB, F_ZERO, 0, 1, 6, 0, 3, 3, 0, -19.2, 19.2, 1.0, 1.0, 0, 0, 0, 0, 0},
    [11] = {key_target_location_offset_lon, 29, K_IMAPB, F_ZERO, 0, 1, 6, 0, 3, 3, 0, -19.2, 19.2, 1.0, 1.0, 0, 0, 0, 0, 0},
    [12] = {key_target_hae, 13, K_IMAPB, F_ZERO, 0, 2, 15, 0, 2, 2, 0, -900.0, 19000.0, 1.0, 1.0, 0, 0, 0, 0, 0},
    [13] = {key_bounding_box_top_left_lat_offset, 35, K_IMAPB, F_ZERO, 0, 1, 6, 0, 3, 3, 0, -19.2, 19.2, 1.0, 1.0, 0, 0, 0, 0, 0},
    [14] = {key_bounding_box_top_left_lon_offset, 35, K_IMAPB, F_ZERO, 0, 1, 6, 0, 3, 3, 0, -19.2, 19.2, 1.0, 1.0, 0, 0, 0, 0, 0},
    [15] = {key_bounding_box_bottom_right_lat_offset, 39, K_IMAPB, F_ZERO, 0, 1, 6, 0, 3, 3, 0, -19.2, 19.2, 1.0, 1.0, 0, 0, 0, 0, 0},
    [16] = {key_bounding_box_bottom_right_lon_offset, 39, K_IMAPB, F_ZERO, 0, 1, 6, 0, 3, 3, 0, -19.2, 19.2, 1.0, 1.0, 0, 0, 0, 0, 0},
    [17] = {key_target_location, 18, K_PACK, F_ZERO, 0, 0, 0, 0, 10, 22, 0, 0.0, 0.0, 1.0, 1.0, 0, 0, 0, 0, &pack_location},
    [18] = {key_geospatial_contour_series, 28, K_SERIES_PACK, F_ZERO, 0, 0, 0, 0, 0, 0, 0, 0.0, 0.0, 1.0, 1.0, 0, 0, 0, 0, &pack_location},
    [19] = {key_centroid_pix_row, 19, K_UINT, F_ZERO, 0, 0, 0, 0, 1, 4, 0, 1.0, 4294967295.0, 1.0, 1.0, 0, 0, 0, 0, 0},
    [20] = {key_centroid_pix_col, 19, K_UINT, F_ZERO, 0, 0, 0, 0, 1, 4, 0, 1.0, 4294967295.0, 1.0, 1.0, 0, 0, 0, 0, 0},
    [21] = {key_fpa_index, 12, K_PACK, F_ZERO, 0, 0, 0, 0, 2, 2, 0, 0.0, 0.0, 1.0, 1.0, 0, 0, 0, 0, &pack_fpaindex},
    [22] = {key_algorithm_id, 15, K_UINT, F_ZERO, 0, 0, 0, 0, 1, 3, 0, 0.0, 16777215.0, 1.0, 1.0, 0, 0, 0, 0, 0},
    [23] = {key_detection_status, 19, K_ENUM, F_ZERO, 0, 0, 0, 0, 1, 1, 5, 0.0, 4.0, 1.0, 1.0, 0, codes_vtarget_23_detection_status, 0, 0, 0},
    [101] = {key_vmask, 8, K_SET, F_ZERO, 0, 0, 0, 0, 0, 0, 0, 0.0, 0.0, 1.0, 1.0, 0, 0, 0, &set_vmask, 0},
    [102] = {key_vobject, 10, K_SET, F_ZERO, 0, 0, 0, 0, 0, 0, 0, 0.0, 0.0, 1.0, 1.0, 0, 0, 0, &set_vobject, 0},
    [103] = {key_vfeature, 11, K_SET, F_ZERO, 0, 0, 0, 0, 0, 0, 0, 0.0, 0.0, 1.0, 1.0, 0, 0, 0, &set_vfeature, 0},
    [104] = {key_vtracker, 11, K_SET, F_ZERO, 0, 0, 0, 0, 0, 0, 0, 0.0, 0.0, 1.0, 1.0, 0, 0, 0, &set_vtracker, 0},
    [105] = {key_vchip, 8, K_SET, F_ZERO, 0, 0, 0, 0, 0, 0, 0, 0.0, 0.0, 1.0, 1.0, 0, 0, 0, &set_vchip, 0},
    [106] = {key_vchip_series, 15, K_SERIES, F_ZERO, 0, 0, 0, 0, 0, 0, 0, 0.0, 0.0, 1.0, 1.0, 0, 0, 0, &set_vchip, 0},
    [107] = {key_vobject_series, 17, K_SERIES, F_ZERO, 0, 0, 0, 0, 0, 0, 0, 0.0, 0.0, 1.0, 1.0, 0, 0, 0, &set_vobject, 0}
};
static const char key_track_time_stamp[64] = "\"track_time_stamp\":";
static const char key_track_id[64] = "\"track_id\":";
static const struct code codes_vtrack_4_track_status[] = {{0, "\"Inactive\""}, {1, "\"Active-Moving\""}, {2, "\"Dropped\""}, {3, "\"Active-Stopped\""}, {4, "\"Active-Coasting\""}};
static const char key_track_status[64] = "\"track_status\":";
static const char key_track_start_time[64] = "\"track_start_time\":";
static const char key_track_end_time[64] = "\"track_end_time\":";
static const char key_track_boundary_series[64] = "\"track_boundary_series\":";
static const char key_track_algorithm[64] = "\"track_algorithm\":";
static const char key_track_confidence[64] = "\"track_confidence\":";
static const char key_num_track_points[64] = "\"num_track_points\":";
static const char key_vtrack_item_series[64] = "\"vtrack_item_series\":";
static const struct item items_vtrack[104] = {
    [1] = {key_checksum, 11, K_UINT, 0, 0, 0, 0, 0, 2, 2, 0, 0.0, 65535.0, 1.0, 1.0, 0, 0, 0, 0, 0},
    [2] = {key_track_time_stamp, 19, K_UINT, F_ZERO, 0, 0, 0, 0, 8, 8, 0, 0.0, 1.8446744073709552e+19, 1.0, 1.0, 0, 0, 0, 0, 0},
    [3] = {key_track_id, 11, K_UUID, F_ZERO, 0, 0, 0, 0, 16, 16, 0, 0.0, 0.0, 1.0, 1.0, 0, 0, 0, 0, 0},
    [4] = {key_track_status, 15, K_ENUM, F_ZERO, 0, 0, 0, 0, 1, 1, 5, 0.0, 4.0, 1.0, 1.0, 0, codes_vtrack_4_track_status, 0, 0, 0},
    [5] = {key_track_start_time, 19, K_UINT, F_ZERO, 0, 0, 0, 0, 8, 8, 0, 0.0, 1.8446744073709552e+19, 1.0, 1.0, 0, 0, 0, 0, 0},
    [6] = {key_track_end_time, 17, K_UINT, F_ZERO, 0, 0, 0, 0, 8, 8, 0, 0.0, 1.8446744073709552e+19, 1.0, 1.0, 0, 0, 0, 0, 0},
    [7] = {key_track_boundary_series, 24, K_SERIES_PACK, F_ZERO, 0, 0, 0, 0, 0, 0, 0, 0.0, 0.0, 1.0, 1.0, 0, 0, 0, 0, &pack_location},
    [8] = {key_track_algorithm, 18, K_TEXT, F_ZERO, 0, 0, 0, 0, 0, 0, 0, 0.0, 0.0, 1.0, 1.0, 0, 0, 0, 0, 0},
    [9] = {key_track_confidence, 19, K_UINT, F_ZERO, 0, 0, 0, 0, 1, 1, 0, 0.0, 100.0, 1.0, 1.0, 0, 0, 0, 0, 0},
    [10] = {key_vmti_system_name, 19, K_TEXT, F_ZERO, 0, 0, 0, 0, 0, 128, 0, 0.0, 0.0, 1.0, 1.0, 0, 0, 0, 0, 0},
    [11] = {key_vmti_ls_version, 18, K_UINT, F_ZERO, 0, 0, 0, 0, 1, 2, 0, 1.0, 65535.0, 1.0, 1.0, 0, 0, 0, 0, 0},
    [12] = {key_vmti_source_sensor, 21, K_TEXT, F_ZERO, 0, 0, 0, 0, 0, 512, 0, 0.0, 0.0, 1.0, 1.0, 0, 0, 0, 0, 0},
    [13] = {key_num_track_points, 19, K_UINT, F_ZERO, 0, 0, 0, 0, 1, 2, 0, 0.0, 65535.0, 1.0, 1.0, 0, 0, 0, 0, 0},
    [101] = {key_vtrack_item_series, 21, K_TARGETS, F_ZERO, 0, 0, 0, 0, 0, 0, 0, 0.0, 0.0, 1.0, 1.0, 0, 0, 0, &set_vtrackitem, 0},
    [103] = {key_ontology_series, 18, K_SERIES, F_ZERO, 0, 0, 0, 0, 0, 0, 0, 0.0, 0.0, 1.0, 1.0, 0, 0, 0, &set_ontology, 0}
};
static const char key_target_time_stamp[64] = "\"target_time_stamp\":";
static const char key_boundary_top_left[64] = "\"boundary_top_left\":";
static const char key_boundary_bottom_right[64] = "\"boundary_bottom_right\":";
static const char key_target_boundary_series[64] = "\"target_boundary_series\":";
static const char key_east[64] = "\"east\":";
static const char key_north[64] = "\"north\":";
static const char key_up[64] = "\"up\":";
static const struct element elements_velocity[] = {
    {P_FIX, 0, O_NONE, 0, {key_east, 7, K_IMAPB, F_ZERO, 0, 2, 11, 0, 2, 2, 0, -900.0, 900.0, 1.0, 1.0, 0, 0, 0, 0, 0}},
    {P_FIX, 0, O_NONE, 0, {key_north, 8, K_IMAPB, F_ZERO, 0, 2, 11, 0, 2, 2, 0, -900.0, 900.0, 1.0, 1.0, 0, 0, 0, 0, 0}},
    {P_FIX, 0, O_NONE, 0, {key_up, 5, K_IMAPB, F_ZERO, 0, 2, 11, 0, 2, 2, 0, -900.0, 900.0, 1.0, 1.0, 0, 0, 0, 0, 0}},
    {P_FIX, 1, O_NONE, 0, {key_sigma_east, 13, K_IMAPB, F_ZERO, 0, 2, 10, 0, 2, 2, 0, 0.0, 650.0, 1.0, 1.0, 0, 0, 0, 0, 0}},
    {P_FIX, 1, O_NONE, 0, {key_sigma_north, 14, K_IMAPB, F_ZERO, 0, 2, 10, 0, 2, 2, 0, 0.0, 650.0, 1.0, 1.0, 0, 0, 0, 0, 0}},
    {P_FIX, 1, O_NONE, 0, {key_sigma_up, 11, K_IMAPB, F_ZERO, 0, 2, 10, 0, 2, 2, 0, 0.0, 650.0, 1.0, 1.0, 0, 0, 0, 0, 0}},
    {P_FIX, 1, O_NONE, 0, {key_rho_east_north, 17, K_IMAPB, F_ZERO, 0, 2, 1, 0, 2, 2, 0, -1.0, 1.0, 1.0, 1.0, 0, 0, 0, 0, 0}},
    {P_FIX, 1, O_NONE, 0, {key_rho_east_up, 14, K_IMAPB, F_ZERO, 0, 2, 1, 0, 2, 2, 0, -1.0, 1.0, 1.0, 1.0, 0, 0, 0, 0, 0}},
    {P_FIX, 1, O_NONE, 0, {key_rho_north_up, 15, K_IMAPB, F_ZERO, 0, 2, 1, 0, 2, 2, 0, -1.0, 1.0, 1.0, 1.0, 0, 0, 0, 0, 0}}
};
static const struct pack pack_velocity = {elements_velocity, 9};
static const char key_velocity[64] = "\"velocity\":";
static const struct element elements_acceleration[] = {
    {P_FIX, 0, O_NONE, 0, {key_east, 7, K_IMAPB, F_ZERO, 0, 2, 11, 0, 2, 2, 0, -900.0, 900.0, 1.0, 1.0, 0, 0, 0, 0, 0}},
    {P_FIX, 0, O_NONE, 0, {key_north, 8, K_IMAPB, F_ZERO, 0, 2, 11, 0, 2, 2, 0, -900.0, 900.0, 1.0, 1.0, 0, 0, 0, 0, 0}},
    {P_FIX, 0, O_NONE, 0, {key_up, 5, K_IMAPB, F_ZERO, 0, 2, 11, 0, 2, 2, 0, -900.0, 900.0, 1.0, 1.0, 0, 0, 0, 0, 0}},
    {P_FIX, 1, O_NONE, 0, {key_sigma_east, 13, K_IMAPB, F_ZERO, 0, 2, 10, 0, 2, 2, 0, 0.0, 650.0, 1.0, 1.0, 0, 0, 0, 0, 0}},
    {P_FIX, 1, O_NONE, 0, {key_sigma_north, 14, K_IMAPB, F_ZERO, 0, 2, 10, 0, 2, 2, 0, 0.0, 650.0, 1.0, 1.0, 0, 0, 0, 0, 0}},
    {P_FIX, 1, O_NONE, 0, {key_sigma_up, 11, K_IMAPB, F_ZERO, 0, 2, 10, 0, 2, 2, 0, 0.0, 650.0, 1.0, 1.0, 0, 0, 0, 0, 0}},
    {P_FIX, 1, O_NONE, 0, {key_rho_east_north, 17, K_IMAPB, F_ZERO, 0, 2, 1, 0, 2, 2, 0, -1.0, 1.0, 1.0, 1.0, 0, 0, 0, 0, 0}},
    {P_FIX, 1, O_NONE, 0, {key_rho_east_up, 14, K_IMAPB, F_ZERO, 0, 2, 1, 0, 2, 2, 0, -1.0, 1.0, 1.0, 1.0, 0, 0, 0, 0, 0}},
    {P_FIX, 1, O_NONE, 0, {key_rho_north_up, 15, K_IMAPB, F_ZERO, 0, 2, 1, 0, 2, 2, 0, -1.0, 1.0, 1.0, 1.0, 0, 0, 0, 0, 0}}
};
static const struct pack pack_acceleration = {elements_acceleration, 9};
static const char key_acceleration[64] = "\"acceleration\":";
static const char key_video_frame_number[64] = "\"video_frame_number\":";
static const char key_sensor_horizontal_fov[64] = "\"sensor_horizontal_fov\":";
static const char key_sensor_vertical_fov[64] = "\"sensor_vertical_fov\":";
static const char key_motion_imagery_url[64] = "\"motion_imagery_url\":";
static const struct item items_vtrackitem[107] = {
    [1] = {key_target_time_stamp, 20, K_UINT, F_ZERO, 0, 0, 0, 0, 8, 8, 0, 0.0, 1.8446744073709552e+19, 1.0, 1.0, 0, 0, 0, 0, 0},
    [2] = {key_target_centroid, 18, K_UINT, F_ZERO, 0, 0, 0, 0, 1, 6, 0, 1.0, 281474976710655.0, 1.0, 1.0, 0, 0, 0, 0, 0},
    [3] = {key_centroid_pix_row, 19, K_UINT, F_ZERO, 0, 0, 0, 0, 1, 4, 0, 1.0, 4294967295.0, 1.0, 1.0, 0, 0, 0, 0, 0},
    [4] = {key_centroid_pix_col, 19, K_UINT, F_ZERO, 0, 0, 0, 0, 1, 4, 0, 1.0, 4294967295.0, 1.0, 1.0, 0, 0, 0, 0, 0},
    [5] = {key_boundary_top_left, 20, K_UINT, F_ZERO, 0, 0, 0, 0, 1, 6, 0, 1.0, 281474976710655.0, 1.0, 1.0, 0, 0, 0, 0, 0},
    [6] = {key_boundary_bottom_right, 24, K_UINT, F_ZERO, 0, 0, 0, 0, 1, 6, 0, 1.0, 281474976710655.0, 1.0, 1.0, 0, 0, 0, 0, 0},
    [7] = {key_target_priority, 18, K_UINT, F_ZERO, 0, 0, 0, 0, 1, 1, 0, 1.0, 255.0, 1.0, 1.0, 0, 0, 0, 0, 0},
    [8] = {key_target_confidence_level, 26, K_UINT, F_ZERO, 0, 0, 0, 0, 1, 1, 0, 0.0, 100.0, 1.0, 1.0, 0, 0, 0, 0, 0},
    [9] = {key_target_history, 17, K_UINT, F_ZERO, 0, 0, 0, 0, 1, 2, 0, 0.0, 65535.0, 1.0, 1.0, 0, 0, 0, 0, 0},
    [10] = {key_percentage_of_target_pixels, 30, K_UINT, F_ZERO, 0, 0, 0, 0, 1, 1, 0, 1.0, 100.0, 1.0, 1.0, 0, 0, 0, 0, 0},
    [11] = {key_target_color, 15, K_BYTES, F_ZERO, 0, 0, 0, 0, 3, 3, 0, 0.0, 0.0, 1.0, 1.0, 0, 0, 0, 0, 0},
    [12] = {key_target_intensity, 19, K_UINT, F_ZERO, 0, 0, 0, 0, 1, 3, 0, 0.0, 16777215.0, 1.0, 1.0, 0, 0, 0, 0, 0},
    [13] = {key_target_location, 18, K_PACK, F_ZERO, 0, 0, 0, 0, 10, 22, 0, 0.0, 0.0, 1.0, 1.0, 0, 0, 0, 0, &pack_location},
    [14] = {key_target_boundary_series, 25, K_SERIES_PACK, F_ZERO, 0, 0, 0, 0, 0, 0, 0, 0.0, 0.0, 1.0, 1.0, 0, 0, 0, 0, &pack_location},
    [15] = {key_velocity, 11, K_PACK, F_ZERO, 0, 0, 0, 0, 6, 18, 0, 0.0, 0.0, 1.0, 1.0, 0, 0, 0, 0, &pack_velocity},
    [16] = {key_acceleration, 15, K_PACK, F_ZERO, 0, 0, 0, 0, 6, 18, 0, 0.0, 0.0, 1.0, 1.0, 0, 0, 0, 0, &pack_acceleration},
    [17] = {key_fpa_index, 12, K_PACK, F_ZERO, 0, 0, 0, 0, 2, 2, 0, 0.0, 0.0, 1.0, 1.0, 0, 0, 0, 0, &pack_fpaindex},
    [18] = {key_video_frame_number, 21, K_UINT, F_ZERO, 0, 0, 0, 0, 1, 3, 0, 0.0, 16777215.0, 1.0, 1.0, 0, 0, 0, 0, 0},
    [19] = {key_miis_id, 10, K_MIIS, F_ZERO, 0, 0, 0, 0, 18, 66, 0, 0.0, 0.0, 1.0, 1.0, 0, 0, 0, 0, 0},
    [20] = {key_frame_width, 14, K_UINT, F_ZERO, 0, 0, 0, 0, 1, 3, 0, 1.0, 16777215.0, 1.0, 1.0, 0, 0, 0, 0, 0},
    [21] = {key_frame_height, 15, K_UINT, F_ZERO, 0, 0, 0, 0, 1, 3, 0, 1.0, 16777215.0, 1.0, 1.0, 0, 0, 0, 0, 0},
    [22] = {key_sensor_horizontal_fov, 24, K_IMAPB, F_ZERO, 0, 0, 8, 0, 2, 2, 0, 0.0, 180.0, 1.0, 1.0, 0, 0, 0, 0, 0},
    [23] = {key_sensor_vertical_fov, 22, K_IMAPB, F_ZERO, 0, 0, 8, 0, 2, 2, 0, 0.0, 180.0, 1.0, 1.0, 0, 0, 0, 0, 0},
    [24] = {key_motion_imagery_url, 21, K_TEXT, F_ZERO, 0, 0, 0, 0, 0, 0, 0, 0.0, 0.0, 1.0, 1.0, 0, 0, 0, 0, 0},
    [101] = {key_vmask, 8, K_SET, F_ZERO, 0, 0, 0, 0, 0, 0, 0, 0.0, 0.0, 1.0, 1.0, 0, 0, 0, &set_vmask, 0},
    [102] = {key_vobject, 10, K_SET, F_ZERO, 0, 0, 0, 0, 0, 0, 0, 0.0, 0.0, 1.0, 1.0, 0, 0, 0, &set_vobject, 0},
    [103] = {key_vfeature, 11, K_SET, F_ZERO, 0, 0, 0, 0, 0, 0, 0, 0.0, 0.0, 1.0, 1.0, 0, 0, 0, &set_vfeature, 0},
    [104] = {key_vchip, 8, K_SET, F_ZERO, 0, 0, 0, 0, 0, 0, 0, 0.0, 0.0, 1.0, 1.0, 0, 0, 0, &set_vchip, 0},
    [105] = {key_vchip_series, 15, K_SERIES, F_ZERO, 0, 0, 0, 0, 0, 0, 0, 0.0, 0.0, 1.0, 1.0, 0, 0, 0, &set_vchip, 0},
    [106] = {key_vobject_series, 17, K_SERIES, F_ZERO, 0, 0, 0, 0, 0, 0, 0, 0.0, 0.0, 1.0, 1.0, 0, 0, 0, &set_vobject, 0}
};
static const char key_pixel_contour[64] = "\"pixel_contour\":";
static const char key_start_pixel[64] = "\"start_pixel\":";
static const char key_run[64] = "\"run\":";
static const struct element elements_pixelrun[] = {
    {P_LENGTH, 0, O_NONE, 0, {key_start_pixel, 14, K_UINT, F_ZERO, 0, 0, 0, 0, 0, 0, 0, 1.0, 281474976710655.0, 1.0, 1.0, 0, 0, 0, 0, 0}},
    {P_BER, 0, O_NONE, 0, {key_run, 6, K_UINT, F_ZERO, 0, 0, 0, 0, 0, 0, 0, 0.0, 0.0, 1.0, 1.0, 0, 0, 0, 0, 0}}
};
static const struct pack pack_pixelrun = {elements_pixelrun, 2};
static const char key_bit_mask_series[64] = "\"bit_mask_series\":";
static const struct item items_vmask[3] = {
    [1] = {key_pixel_contour, 16, K_SERIES_UINT, F_ZERO, 0, 0, 0, 0, 0, 0, 0, 0.0, 0.0, 1.0, 1.0, 0, 0, 0, 0, 0},
    [2] = {key_bit_mask_series, 18, K_SERIES_PACK, F_ZERO, 0, 0, 0, 0, 0, 0, 0, 0.0, 0.0, 1.0, 1.0, 0, 0, 0, 0, &pack_pixelrun}
};
static const char key_ontology[64] = "\"ontology\":";
static const char key_ontology_class[64] = "\"ontology_class\":";
static const char key_ontology_id[64] = "\"ontology_id\":";
static const char key_confidence[64] = "\"confidence\":";
static const char key_vfeature_series[64] = "\"vfeature_series\":";
static const struct item items_vobject[6] = {
    [1] = {key_ontology, 11, K_TEXT, F_ZERO, 0, 0, 0, 0, 0, 0, 0, 0.0, 0.0, 1.0, 1.0, 0, 0, 0, 0, 0},
    [2] = {key_ontology_class, 17, K_TEXT, F_ZERO, 0, 0, 0, 0, 0, 0, 0, 0.0, 0.0, 1.0, 1.0, 0, 0, 0, 0, 0},
    [3] = {key_ontology_id, 14, K_UINT, F_ZERO, 0, 0, 0, 0, 1, 3, 0, 0.0, 16777215.0, 1.0, 1.0, 0, 0, 0, 0, 0},
    [4] = {key_confidence, 13, K_IMAPB, F_ZERO, 0, 0, 7, 0, 1, 3, 0, 0.0, 100.0, 1.0, 1.0, 0, 0, 0, 0, 0},
    [5] = {key_vfeature_series, 18, K_SERIES, F_ZERO, 0, 0, 0, 0, 0, 0, 0, 0.0, 0.0, 1.0, 1.0, 0, 0, 0, &set_vfeature, 0}
};
static const char key_schema[64] = "\"schema\":";
static const char key_schema_feature[64] = "\"schema_feature\":";
static const struct item items_vfeature[5] = {
    [1] = {key_schema, 9, K_TEXT, F_ZERO, 0, 0, 0, 0, 0, 0, 0, 0.0, 0.0, 1.0, 1.0, 0, 0, 0, 0, 0},
    [2] = {key_schema_feature, 17, K_TEXT, F_ZERO, 0, 0, 0, 0, 0, 0, 0, 0.0, 0.0, 1.0, 1.0, 0, 0, 0, 0, 0},
    [3] = {key_ontology_id, 14, K_UINT, F_ZERO, 0, 0, 0, 0, 1, 3, 0, 0.0, 16777215.0, 1.0, 1.0, 0, 0, 0, 0, 0},
    [4] = {key_confidence, 13, K_IMAPB, F_ZERO, 0, 0, 7, 0, 1, 3, 0, 0.0, 100.0, 1.0, 1.0, 0, 0, 0, 0, 0}
};
static const struct code codes_vtracker_2_detection_status[] = {{0, "\"Inactive\""}, {1, "\"Active-Moving\""}, {2, "\"Dropped\""}, {3, "\"Active-Stopped\""}, {4, "\"Active-Coasting\""}};
static const char key_first_observation_time[64] = "\"first_observation_time\":";
static const char key_latest_observation_time[64] = "\"latest_observation_time\":";
static const char key_algorithm[64] = "\"algorithm\":";
static const char key_confidence_level[64] = "\"confidence_level\":";
static const char key_track_history_series[64] = "\"track_history_series\":";
static const struct item items_vtracker[13] = {
    [1] = {key_track_id, 11, K_UUID, F_ZERO, 0, 0, 0, 0, 16, 16, 0, 0.0, 0.0, 1.0, 1.0, 0, 0, 0, 0, 0},
    [2] = {key_detection_status, 19, K_ENUM, F_ZERO, 0, 0, 0, 0, 1, 1, 5, 0.0, 4.0, 1.0, 1.0, 0, codes_vtracker_2_detection_status, 0, 0, 0},
    [3] = {key_first_observation_time, 25, K_UINT, F_ZERO, 0, 0, 0, 0, 8, 8, 0, 0.0, 1.8446744073709552e+19, 1.0, 1.0, 0, 0, 0, 0, 0},
    [4] = {key_latest_observation_time, 26, K_UINT, F_ZERO, 0, 0, 0, 0, 8, 8, 0, 0.0, 1.8446744073709552e+19, 1.0, 1.0, 0, 0, 0, 0, 0},
    [5] = {key_track_boundary_series, 24, K_SERIES_PACK, F_ZERO, 0, 0, 0, 0, 0, 0, 0, 0.0, 0.0, 1.0, 1.0, 0, 0, 0, 0, &pack_location},
    [6] = {key_algorithm, 12, K_TEXT, F_ZERO, 0, 0, 0, 0, 0, 0, 0, 0.0, 0.0, 1.0, 1.0, 0, 0, 0, 0, 0},
    [7] = {key_confidence_level, 19, K_UINT, F_ZERO, 0, 0, 0, 0, 1, 1, 0, 0.0, 100.0, 1.0, 1.0, 0, 0, 0, 0, 0},
    [8] = {key_num_track_points, 19, K_UINT, F_ZERO, 0, 0, 0, 0, 1, 2, 0, 0.0, 65535.0, 1.0, 1.0, 0, 0, 0, 0, 0},
    [9] = {key_track_history_series, 23, K_SERIES_PACK, F_ZERO, 0, 0, 0, 0, 0, 0, 0, 0.0, 0.0, 1.0, 1.0, 0, 0, 0, 0, &pack_location},
    [10] = {key_velocity, 11, K_PACK, F_ZERO, 0, 0, 0, 0, 6, 18, 0, 0.0, 0.0, 1.0, 1.0, 0, 0, 0, 0, &pack_velocity},
    [11] = {key_acceleration, 15, K_PACK, F_ZERO, 0, 0, 0, 0, 6, 18, 0, 0.0, 0.0, 1.0, 1.0, 0, 0, 0, 0, &pack_acceleration},
    [12] = {key_algorithm_id, 15, K_UINT, F_ZERO, 0, 0, 0, 0, 1, 3, 0, 0.0, 16777215.0, 1.0, 1.0, 0, 0, 0, 0, 0}
};
static const char key_image_type[64] = "\"image_type\":";
static const char key_image_iri[64] = "\"image_iri\":";
static const char key_embedded_image[64] = "\"embedded_image\":";
static const struct item items_vchip[4] = {
    [1] = {key_image_type, 13, K_TEXT, F_ZERO, 0, 0, 0, 0, 0, 0, 0, 0.0, 0.0, 1.0, 1.0, 0, 0, 0, 0, 0},
    [2] = {key_image_iri, 12, K_TEXT, F_ZERO, 0, 0, 0, 0, 0, 0, 0, 0.0, 0.0, 1.0, 1.0, 0, 0, 0, 0, 0},
    [3] = {key_embedded_image, 17, K_BYTES, F_ZERO, 0, 0, 0, 0, 0, 0, 0, 0.0, 0.0, 1.0, 1.0, 0, 0, 0, 0, 0}
};
static const char key_algorithm_class[64] = "\"algorithm_class\":";
static const char key_n_frames[64] = "\"n_frames\":";
static const struct item items_algorithm[6] = {
    [1] = {key_algorithm_id, 15, K_UINT, F_ZERO, 0, 0, 0, 0, 1, 3, 0, 0.0, 16777215.0, 1.0, 1.0, 0, 0, 0, 0, 0},
    [2] = {key_name, 7, K_TEXT, F_ZERO, 0, 0, 0, 0, 0, 0, 0, 0.0, 0.0, 1.0, 1.0, 0, 0, 0, 0, 0},
    [3] = {key_version, 10, K_TEXT, F_ZERO, 0, 0, 0, 0, 0, 0, 0, 0.0, 0.0, 1.0, 1.0, 0, 0, 0, 0, 0},
    [4] = {key_algorithm_class, 18, K_TEXT, F_ZERO, 0, 0, 0, 0, 0, 0, 0, 0.0, 0.0, 1.0, 1.0, 0, 0, 0, 0, 0},
    [5] = {key_n_frames, 11, K_UINT, F_ZERO, 0, 0, 0, 0, 1, 3, 0, 0.0, 16777215.0, 1.0, 1.0, 0, 0, 0, 0, 0}
};
static const char key_parent_id[64] = "\"parent_id\":";
static const char key_ontology_iri[64] = "\"ontology_iri\":";
static const char key_entity_iri[64] = "\"entity_iri\":";
static const char key_version_iri[64] = "\"version_iri\":";
static const char key_label[64] = "\"label\":";
static const struct item items_ontology[7] = {
    [1] = {key_ontology_id, 14, K_UINT, F_ZERO, 0, 0, 0, 0, 1, 3, 0, 0.0, 16777215.0, 1.0, 1.0, 0, 0, 0, 0, 0},
    [2] = {key_parent_id, 12, K_UINT, F_ZERO, 0, 0, 0, 0, 1, 3, 0, 0.0, 16777215.0, 1.0, 1.0, 0, 0, 0, 0, 0},
    [3] = {key_ontology_iri, 15, K_TEXT, F_ZERO, 0, 0, 0, 0, 0, 0, 0, 0.0, 0.0, 1.0, 1.0, 0, 0, 0, 0, 0},
    [4] = {key_entity_iri, 13, K_TEXT, F_ZERO, 0, 0, 0, 0, 0, 0, 0, 0.0, 0.0, 1.0, 1.0, 0, 0, 0, 0, 0},
    [5] = {key_version_iri, 14, K_TEXT, F_ZERO, 0, 0, 0, 0, 0, 0, 0, 0.0, 0.0, 1.0, 1.0, 0, 0, 0, 0, 0},
    [6] = {key_label, 8, K_TEXT, F_ZERO, 0, 0, 0, 0, 0, 0, 0, 0.0, 0.0, 1.0, 1.0, 0, 0, 0, 0, 0}
};
static const char key_crc32[64] = "\"crc32\":";
static const char key_telemetry_accuracy_indicator[64] = "\"telemetry_accuracy_indicator\":";
static const char key_frag_circle_radius[64] = "\"frag_circle_radius\":";
static const char key_frame_code[64] = "\"frame_code\":";
static const char key_rvt_ls_version[64] = "\"rvt_ls_version\":";
static const char key_video_data_rate[64] = "\"video_data_rate\":";
static const char key_digital_video_file_format[64] = "\"digital_video_file_format\":";
static const char key_user_defined_local_set[64] = "\"user_defined_local_set\":";
static const char key_point_of_interest_local_set[64] = "\"point_of_interest_local_set\":";
static const char key_area_of_interest_local_set[64] = "\"area_of_interest_local_set\":";
static const char key_mgrs_zone[64] = "\"mgrs_zone\":";
static const char key_mgrs_latitude_band_and_grid_square[64] = "\"mgrs_latitude_band_and_grid_square\":";
static const char key_mgrs_easting[64] = "\"mgrs_easting\":";
static const char key_mgrs_northing[64] = "\"mgrs_northing\":";
static const char key_frame_center_mgrs_zone[64] = "\"frame_center_mgrs_zone\":";
static const char key_frame_center_mgrs_latitude_band_and_grid_square[64] = "\"frame_center_mgrs_latitude_band_and_grid_square\":";
static const char key_frame_center_mgrs_easting[64] = "\"frame_center_mgrs_easting\":";
static const char key_frame_center_mgrs_northing[64] = "\"frame_center_mgrs_northing\":";
static const struct item items_st0806[22] = {
    [1] = {key_crc32, 8, K_UINT, 0, 0, 0, 0, 0, 4, 4, 0, 0.0, 4294967295.0, 1.0, 1.0, 0, 0, 0, 0, 0},
    [2] = {key_precision_time_stamp, 23, K_UINT, F_ZERO, 0, 0, 0, 0, 8, 8, 0, 0.0, 1.8446744073709552e+19, 1.0, 1.0, 0, 0, 0, 0, 0},
    [3] = {key_platform_true_airspeed, 25, K_UINT, F_ZERO, 0, 0, 0, 0, 2, 2, 0, 0.0, 65535.0, 1.0, 1.0, 0, 0, 0, 0, 0},
    [4] = {key_platform_indicated_airspeed, 30, K_UINT, F_ZERO, 0, 0, 0, 0, 2, 2, 0, 0.0, 65535.0, 1.0, 1.0, 0, 0, 0, 0, 0},
    [5] = {key_telemetry_accuracy_indicator, 31, K_UINT, F_ZERO, 0, 0, 0, 0, 1, 1, 0, 0.0, 255.0, 1.0, 1.0, 0, 0, 0, 0, 0},
    [6] = {key_frag_circle_radius, 21, K_UINT, F_ZERO, 0, 0, 0, 0, 2, 2, 0, 0.0, 65535.0, 1.0, 1.0, 0, 0, 0, 0, 0},
    [7] = {key_frame_code, 13, K_UINT, F_ZERO, 0, 0, 0, 0, 4, 4, 0, 0.0, 4294967295.0, 1.0, 1.0, 0, 0, 0, 0, 0},
    [8] = {key_rvt_ls_version, 17, K_UINT, F_ZERO, 0, 0, 0, 0, 1, 1, 0, 0.0, 255.0, 1.0, 1.0, 0, 0, 0, 0, 0},
    [9] = {key_video_data_rate, 18, K_UINT, F_ZERO, 0, 0, 0, 0, 4, 4, 0, 0.0, 4294967295.0, 1.0, 1.0, 0, 0, 0, 0, 0},
    [10] = {key_digital_video_file_format, 28, K_TEXT, F_ZERO, 0, 0, 0, 0, 0, 127, 0, 0.0, 0.0, 1.0, 1.0, 0, 0, 0, 0, 0},
    [11] = {key_user_defined_local_set, 25, K_SET, F_ZERO | F_REPEATS, 0, 0, 0, 0, 0, 0, 0, 0.0, 0.0, 1.0, 1.0, 0, 0, 0, &set_rvtuserdefined, 0},
    [12] = {key_point_of_interest_local_set, 30, K_SET, F_ZERO | F_REPEATS, 0, 0, 0, 0, 0, 0, 0, 0.0, 0.0, 1.0, 1.0, 0, 0, 0, &set_rvtpoi, 0},
    [13] = {key_area_of_interest_local_set, 29, K_SET, F_ZERO | F_REPEATS, 0, 0, 0, 0, 0, 0, 0, 0.0, 0.0, 1.0, 1.0, 0, 0, 0, &set_rvtaoi, 0},
    [14] = {key_mgrs_zone, 12, K_UINT, F_ZERO, 0, 0, 0, 0, 1, 1, 0, 1.0, 60.0, 1.0, 1.0, 0, 0, 0, 0, 0},
    [15] = {key_mgrs_latitude_band_and_grid_square, 37, K_TEXT, F_ZERO, 0, 0, 0, 0, 3, 3, 0, 0.0, 0.0, 1.0, 1.0, 0, 0, 0, 0, 0},
    [16] = {key_mgrs_easting, 15, K_UINT, F_ZERO, 0, 0, 0, 0, 3, 3, 0, 0.0, 99999.0, 1.0, 1.0, 0, 0, 0, 0, 0},
    [17] = {key_mgrs_northing, 16, K_UINT, F_ZERO, 0, 0, 0, 0, 3, 3, 0, 0.0, 99999.0, 1.0, 1.0, 0, 0, 0, 0, 0},
    [18] = {key_frame_center_mgrs_zone, 25, K_UINT, F_ZERO, 0, 0, 0, 0, 1, 1, 0, 1.0, 60.0, 1.0, 1.0, 0, 0, 0, 0, 0},
    [19] = {key_frame_center_mgrs_latitude_band_and_grid_square, 50, K_TEXT, F_ZERO, 0, 0, 0, 0, 3, 3, 0, 0.0, 0.0, 1.0, 1.0, 0, 0, 0, 0, 0},
    [20] = {key_frame_center_mgrs_easting, 28, K_UINT, F_ZERO, 0, 0, 0, 0, 3, 3, 0, 0.0, 99999.0, 1.0, 1.0, 0, 0, 0, 0, 0},
    [21] = {key_frame_center_mgrs_northing, 29, K_UINT, F_ZERO, 0, 0, 0, 0, 3, 3, 0, 0.0, 99999.0, 1.0, 1.0, 0, 0, 0, 0, 0}
};
static const char key_number[64] = "\"number\":";
static const char key_poi_latitude[64] = "\"poi_latitude\":";
static const char key_poi_longitude[64] = "\"poi_longitude\":";
static const char key_poi_altitude[64] = "\"poi_altitude\":";
static const struct code codes_rvtpoi_5_type[] = {{1, "\"Friendly\""}, {2, "\"Hostile\""}, {3, "\"Target\""}, {4, "\"Unknown\""}};
static const char key_type[64] = "\"type\":";
static const char key_text[64] = "\"text\":";
static const char key_poi_source_icon[64] = "\"poi_source_icon\":";
static const char key_source_id[64] = "\"source_id\":";
static const char key_operation_id[64] = "\"operation_id\":";
static const struct item items_rvtpoi[11] = {
    [1] = {key_number, 9, K_UINT, F_ZERO, 0, 0, 0, 0, 2, 2, 0, 0.0, 65535.0, 1.0, 1.0, 0, 0, 0, 0, 0},
    [2] = {key_poi_latitude, 15, K_LINEAR_INT, F_ZERO, 8, 0, 0, 0, 4, 4, 0, -90.0, 90.0, 4.190951587721217e-08, 4.190951587721218, "\"error\"", 0, 0, 0, 0},
    [3] = {key_poi_longitude, 16, K_LINEAR_INT, F_ZERO, 8, 0, 0, 0, 4, 4, 0, -180.0, 180.0, 8.381903175442434e-08, 8.381903175442435, "\"error\"", 0, 0, 0, 0},
    [4] = {key_poi_altitude, 15, K_LINEAR_UINT, F_ZERO, 1, 0, 0, 0, 2, 2, 0, -900.0, 19000.0, 0.30365453574425877, 3.036545357442588, 0, 0, 0, 0, 0},
    [5] = {key_type, 7, K_ENUM, F_ZERO, 0, 0, 0, 0, 1, 1, 4, 1.0, 4.0, 1.0, 1.0, 0, codes_rvtpoi_5_type, 0, 0, 0},
    [6] = {key_text, 7, K_TEXT, F_ZERO, 0, 0, 0, 0, 0, 2048, 0, 0.0, 0.0, 1.0, 1.0, 0, 0, 0, 0, 0},
    [7] = {key_poi_source_icon, 18, K_TEXT, F_ZERO, 0, 0, 0, 0, 0, 127, 0, 0.0, 0.0, 1.0, 1.0, 0, 0, 0, 0, 0},
    [8] = {key_source_id, 12, K_TEXT, F_ZERO, 0, 0, 0, 0, 0, 255, 0, 0.0, 0.0, 1.0, 1.0, 0, 0, 0, 0, 0},
    [9] = {key_label, 8, K_TEXT, F_ZERO, 0, 0, 0, 0, 0, 16, 0, 0.0, 0.0, 1.0, 1.0, 0, 0, 0, 0, 0},
    [10] = {key_operation_id, 15, K_TEXT, F_ZERO, 0, 0, 0, 0, 0, 127, 0, 0.0, 0.0, 1.0, 1.0, 0, 0, 0, 0, 0}
};
static const char key_corner_latitude_point_1[64] = "\"corner_latitude_point_1\":";
static const char key_corner_longitude_point_1[64] = "\"corner_longitude_point_1\":";
static const char key_corner_latitude_point_3[64] = "\"corner_latitude_point_3\":";
static const char key_corner_longitude_point_3[64] = "\"corner_longitude_point_3\":";
static const struct code codes_rvtaoi_6_type[] = {{1, "\"Friendly\""}, {2, "\"Hostile\""}, {3, "\"Target\""}, {4, "\"Unknown\""}};
static const struct item items_rvtaoi[11] = {
    [1] = {key_number, 9, K_UINT, F_ZERO, 0, 0, 0, 0, 2, 2, 0, 0.0, 65535.0, 1.0, 1.0, 0, 0, 0, 0, 0},
    [2] = {key_corner_latitude_point_1, 26, K_LINEAR_INT, F_ZERO, 8, 0, 0, 0, 4, 4, 0, -90.0, 90.0, 4.190951587721217e-08, 4.190951587721218, "\"error\"", 0, 0, 0, 0},
    [3] = {key_corner_longitude_point_1, 27, K_LINEAR_INT, F_ZERO, 8, 0, 0, 0, 4, 4, 0, -180.0, 180.0, 8.381903175442434e-08, 8.381903175442435, "\"error\"", 0, 0, 0, 0},
    [4] = {key_corner_latitude_point_3, 26, K_LINEAR_INT, F_ZERO, 8, 0, 0, 0, 4, 4, 0, -90.0, 90.0, 4.190951587721217e-08, 4.190951587721218, "\"error\"", 0, 0, 0, 0},
    [5] = {key_corner_longitude_point_3, 27, K_LINEAR_INT, F_ZERO, 8, 0, 0, 0, 4, 4, 0, -180.0, 180.0, 8.381903175442434e-08, 8.381903175442435, "\"error\"", 0, 0, 0, 0},
    [6] = {key_type, 7, K_ENUM, F_ZERO, 0, 0, 0, 0, 1, 1, 4, 1.0, 4.0, 1.0, 1.0, 0, codes_rvtaoi_6_type, 0, 0, 0},
    [7] = {key_text, 7, K_TEXT, F_ZERO, 0, 0, 0, 0, 0, 2048, 0, 0.0, 0.0, 1.0, 1.0, 0, 0, 0, 0, 0},
    [8] = {key_source_id, 12, K_TEXT, F_ZERO, 0, 0, 0, 0, 0, 255, 0, 0.0, 0.0, 1.0, 1.0, 0, 0, 0, 0, 0},
    [9] = {key_label, 8, K_TEXT, F_ZERO, 0, 0, 0, 0, 0, 16, 0, 0.0, 0.0, 1.0, 1.0, 0, 0, 0, 0, 0},
    [10] = {key_operation_id, 15, K_TEXT, F_ZERO, 0, 0, 0, 0, 0, 127, 0, 0.0, 0.0, 1.0, 1.0, 0, 0, 0, 0, 0}
};
static const char key_data_type[64] = "\"data_type\":";
static const struct code codes_bits_rvtuserdefined_1_data_type[] = {{0, "\"String\""}, {1, "\"Signed Integer\""}, {2, "\"Unsigned Integer\""}, {3, "\"Experimental\""}};
static const char key_id[64] = "\"id\":";
static const struct bits bits_rvtuserdefined_1[] = {{6, 2, key_data_type, codes_bits_rvtuserdefined_1_data_type, 4}, {0, 6, key_id, 0, 0}};
static const char key_numeric_id[64] = "\"numeric_id\":";
static const char key_user_data[64] = "\"user_data\":";
static const struct item items_rvtuserdefined[3] = {
    [1] = {key_numeric_id, 13, K_BITS, F_ZERO, 0, 0, 0, 0, 1, 1, 2, 0.0, 0.0, 1.0, 1.0, 0, 0, bits_rvtuserdefined_1, 0, 0},
    [2] = {key_user_data, 12, K_USER_DATA, F_ZERO, 0, 0, 0, 0, 0, 0, 0, 0.0, 0.0, 1.0, 1.0, 0, 0, 0, 0, 0}
};
static const char key_document_version[64] = "\"document_version\":";
static const char key_compression_method[64] = "\"compression_method\":";
static const struct code codes_bits_st1002_12_compression_method[] = {{0, "\"No Compression\""}, {1, "\"Planar Fit\""}};
static const struct code codes_bits_st1002_12_data_type[] = {{0, "\"Perspective Range Image\""}, {1, "\"Depth Range Image\""}};
static const struct code codes_bits_st1002_12_source[] = {{0, "\"Computationally Extracted\""}, {1, "\"Range Sensor\""}};
static const struct bits bits_st1002_12[] = {{0, 3, key_compression_method, codes_bits_st1002_12_compression_method, 2}, {3, 3, key_data_type, codes_bits_st1002_12_data_type, 2}, {6, 1, key_source, codes_bits_st1002_12_source, 2}};
static const char key_range_image_enumerations[64] = "\"range_image_enumerations\":";
static const char key_sprm[64] = "\"sprm\":";
static const char key_sprm_uncertainty[64] = "\"sprm_uncertainty\":";
static const char key_sprm_row_coordinate[64] = "\"sprm_row_coordinate\":";
static const char key_sprm_column_coordinate[64] = "\"sprm_column_coordinate\":";
static const char key_number_of_sections_in_x[64] = "\"number_of_sections_in_x\":";
static const char key_number_of_sections_in_y[64] = "\"number_of_sections_in_y\":";
static const char key_generalized_transformation[64] = "\"generalized_transformation\":";
static const char key_section_x_length[64] = "\"section_x_length\":";
static const char key_section_x[64] = "\"section_x\":";
static const char key_section_y_length[64] = "\"section_y_length\":";
static const char key_section_y[64] = "\"section_y\":";
static const char key_ranges_length[64] = "\"ranges_length\":";
static const char key_ranges[64] = "\"ranges\":";
static const char key_uncertainty_length[64] = "\"uncertainty_length\":";
static const char key_uncertainty[64] = "\"uncertainty\":";
static const char key_plane_a_length[64] = "\"plane_a_length\":";
static const char key_plane_a[64] = "\"plane_a\":";
static const char key_plane_b_length[64] = "\"plane_b_length\":";
static const char key_plane_b[64] = "\"plane_b\":";
static const char key_plane_c_length[64] = "\"plane_c_length\":";
static const char key_plane_c[64] = "\"plane_c\":";
static const struct element elements_sectiondata[] = {
    {P_GROUP, 0, O_NONE, 0, {key_section_x_length, 19, K_UINT, F_ZERO, 0, 0, 0, C_FLOAT, 0, 0, 0, 0.0, 0.0, 1.0, 1.0, 0, 0, 0, 0, 0}},
    {P_OID, 0, O_NONE, 0, {key_section_x, 12, K_UINT, F_ZERO, 0, 0, 0, C_FLOAT, 0, 0, 0, 1.0, 0.0, 1.0, 1.0, 0, 0, 0, 0, 0}},
    {P_GROUP, 0, O_NONE, 0, {key_section_y_length, 19, K_UINT, F_ZERO, 0, 0, 0, C_FLOAT, 0, 0, 0, 0.0, 0.0, 1.0, 1.0, 0, 0, 0, 0, 0}},
    {P_OID, 0, O_NONE, 0, {key_section_y, 12, K_UINT, F_ZERO, 0, 0, 0, C_FLOAT, 0, 0, 0, 1.0, 0.0, 1.0, 1.0, 0, 0, 0, 0, 0}},
    {P_GROUP, 0, O_NONE, 0, {key_ranges_length, 16, K_UINT, F_ZERO, 0, 0, 0, C_FLOAT, 0, 0, 0, 0.0, 0.0, 1.0, 1.0, 0, 0, 0, 0, 0}},
    {P_REST, 0, O_NONE, 0, {key_ranges, 9, K_ARRAY, F_ZERO, 0, 0, 0, C_FLOAT, 0, 0, 0, 0.0, 0.0, 1.0, 1.0, 0, 0, 0, 0, 0}},
    {P_GROUP, 0, O_NONE, 0, {key_uncertainty_length, 21, K_UINT, F_ZERO, 0, 0, 0, C_FLOAT, 0, 0, 0, 0.0, 0.0, 1.0, 1.0, 0, 0, 0, 0, 0}},
    {P_REST, 1, O_NONE, 0, {key_uncertainty, 14, K_ARRAY, F_ZERO, 0, 0, 0, C_FLOAT, 0, 0, 0, 0.0, 0.0, 1.0, 1.0, 0, 0, 0, 0, 0}},
    {P_GROUP, 1, O_NONE, 0, {key_plane_a_length, 17, K_UINT, F_ZERO, 0, 0, 0, C_FLOAT, 0, 0, 0, 0.0, 0.0, 1.0, 1.0, 0, 0, 0, 0, 0}},
    {P_REST, 1, O_NONE, 0, {key_plane_a, 10, K_FLOAT, F_ZERO, 0, 0, 0, C_FLOAT, 0, 0, 0, 0.0, 0.0, 1.0, 1.0, 0, 0, 0, 0, 0}},
    {P_GROUP, 1, O_NONE, 0, {key_plane_b_length, 17, K_UINT, F_ZERO, 0, 0, 0, C_FLOAT, 0, 0, 0, 0.0, 0.0, 1.0, 1.0, 0, 0, 0, 0, 0}},
    {P_REST, 1, O_NONE, 0, {key_plane_b, 10, K_FLOAT, F_ZERO, 0, 0, 0, C_FLOAT, 0, 0, 0, 0.0, 0.0, 1.0, 1.0, 0, 0, 0, 0, 0}},
    {P_GROUP, 1, O_NONE, 0, {key_plane_c_length, 17, K_UINT, F_ZERO, 0, 0, 0, C_FLOAT, 0, 0, 0, 0.0, 0.0, 1.0, 1.0, 0, 0, 0, 0, 0}},
    {P_REST, 1, O_NONE, 0, {key_plane_c, 10, K_FLOAT, F_ZERO, 0, 0, 0, C_FLOAT, 0, 0, 0, 0.0, 0.0, 1.0, 1.0, 0, 0, 0, 0, 0}}
};
static const struct pack pack_sectiondata = {elements_sectiondata, 14};
static const char key_section_data_pack[64] = "\"section_data_pack\":";
static const char key_crc16[64] = "\"crc16\":";
static const struct item items_st1002[23] = {
    [1] = {key_precision_time_stamp, 23, K_UINT, F_ZERO, 0, 0, 0, 0, 8, 8, 0, 0.0, 1.8446744073709552e+19, 1.0, 1.0, 0, 0, 0, 0, 0},
    [11] = {key_document_version, 19, K_UINT, F_ZERO | F_OID, 0, 0, 0, 0, 1, 0, 0, 0.0, 0.0, 1.0, 1.0, 0, 0, 0, 0, 0},
    [12] = {key_range_image_enumerations, 27, K_BITS, F_ZERO | F_OID, 0, 0, 0, 0, 1, 2, 3, 0.0, 0.0, 1.0, 1.0, 0, 0, bits_st1002_12, 0, 0},
    [13] = {key_sprm, 7, K_FLOAT, F_ZERO, 0, 0, 0, 0, 4, 8, 0, 0.0, 0.0, 1.0, 1.0, 0, 0, 0, 0, 0},
    [14] = {key_sprm_uncertainty, 19, K_FLOAT, F_ZERO, 0, 0, 0, 0, 4, 8, 0, 0.0, 0.0, 1.0, 1.0, 0, 0, 0, 0, 0},
    [15] = {key_sprm_row_coordinate, 22, K_FLOAT, F_ZERO, 0, 0, 0, 0, 4, 8, 0, 0.0, 0.0, 1.0, 1.0, 0, 0, 0, 0, 0},
    [16] = {key_sprm_column_coordinate, 25, K_FLOAT, F_ZERO, 0, 0, 0, 0, 4, 8, 0, 0.0, 0.0, 1.0, 1.0, 0, 0, 0, 0, 0},
    [17] = {key_number_of_sections_in_x, 26, K_UINT, F_ZERO | F_OID, 0, 0, 0, 0, 1, 0, 0, 0.0, 0.0, 1.0, 1.0, 0, 0, 0, 0, 0},
    [18] = {key_number_of_sections_in_y, 26, K_UINT, F_ZERO | F_OID, 0, 0, 0, 0, 1, 0, 0, 0.0, 0.0, 1.0, 1.0, 0, 0, 0, 0, 0},
    [19] = {key_generalized_transformation, 29, K_SET, F_ZERO, 0, 0, 0, 0, 0, 0, 0, 0.0, 0.0, 1.0, 1.0, 0, 0, 0, &set_st1202, 0},
    [20] = {key_section_data_pack, 20, K_PACK, F_ZERO | F_REPEATS, 0, 0, 0, C_FLOAT, 0, 0, 0, 0.0, 0.0, 1.0, 1.0, 0, 0, 0, 0, &pack_sectiondata},
    [21] = {key_crc16, 8, K_UINT, 0, 0, 0, 0, 0, 2, 2, 0, 0.0, 65535.0, 1.0, 1.0, 0, 0, 0, 0, 0},
    [22] = {key_leap_seconds, 15, K_INT, F_ZERO, 0, 0, 0, 0, 1, 4, 0, 0.0, 0.0, 1.0, 1.0, 0, 0, 0, 0, 0}
};
static const char key_sensor_ecef_position_component_x[64] = "\"sensor_ecef_position_component_x\":";
static const char key_sensor_ecef_position_component_y[64] = "\"sensor_ecef_position_component_y\":";
static const char key_sensor_ecef_position_component_z[64] = "\"sensor_ecef_position_component_z\":";
static const char key_sensor_ecef_velocity_component_x[64] = "\"sensor_ecef_velocity_component_x\":";
static const char key_sensor_ecef_velocity_component_y[64] = "\"sensor_ecef_velocity_component_y\":";
static const char key_sensor_ecef_velocity_component_z[64] = "\"sensor_ecef_velocity_component_z\":";
static const char key_sensor_absolute_azimuth[64] = "\"sensor_absolute_azimuth\":";
static const char key_sensor_absolute_pitch[64] = "\"sensor_absolute_pitch\":";
static const char key_sensor_absolute_roll[64] = "\"sensor_absolute_roll\":";
static const char key_sensor_absolute_azimuth_rate[64] = "\"sensor_absolute_azimuth_rate\":";
static const char key_sensor_absolute_pitch_rate[64] = "\"sensor_absolute_pitch_rate\":";
static const char key_sensor_absolute_roll_rate[64] = "\"sensor_absolute_roll_rate\":";
static const char key_boresight_offset_delta_x[64] = "\"boresight_offset_delta_x\":";
static const char key_boresight_offset_delta_y[64] = "\"boresight_offset_delta_y\":";
static const char key_boresight_offset_delta_z[64] = "\"boresight_offset_delta_z\":";
static const char key_boresight_delta_angle_1[64] = "\"boresight_delta_angle_1\":";
static const char key_boresight_delta_angle_2[64] = "\"boresight_delta_angle_2\":";
static const char key_boresight_delta_angle_3[64] = "\"boresight_delta_angle_3\":";
static const char key_focal_plane_principal_point_offset_y[64] = "\"focal_plane_principal_point_offset_y\":";
static const char key_focal_plane_principal_point_offset_x[64] = "\"focal_plane_principal_point_offset_x\":";
static const char key_sensor_calibrated_effective_focal_length[64] = "\"sensor_calibrated_effective_focal_length\":";
static const char key_radial_distortion_constant[64] = "\"radial_distortion_constant\":";
static const char key_radial_distortion_parameter_1[64] = "\"radial_distortion_parameter_1\":";
static const char key_radial_distortion_parameter_2[64] = "\"radial_distortion_parameter_2\":";
static const char key_radial_distortion_parameter_3[64] = "\"radial_distortion_parameter_3\":";
static const char key_tangential_decentering_parameter_1[64] = "\"tangential_decentering_parameter_1\":";
static const char key_tangential_decentering_parameter_2[64] = "\"tangential_decentering_parameter_2\":";
static const char key_tangential_decentering_parameter_3[64] = "\"tangential_decentering_parameter_3\":";
static const char key_differential_scale_affine_parameter[64] = "\"differential_scale_affine_parameter\":";
static const char key_skewness_affine_parameter[64] = "\"skewness_affine_parameter\":";
static const char key_generalized_transformation_local_set[64] = "\"generalized_transformation_local_set\":";
static const char key_image_rows[64] = "\"image_rows\":";
static const char key_image_columns[64] = "\"image_columns\":";
static const char key_pixel_size_x[64] = "\"pixel_size_x\":";
static const char key_pixel_size_y[64] = "\"pixel_size_y\":";
static const struct code codes_st1107_38_slant_range_pedigree[] = {{0, "\"Other\""}, {1, "\"Measured\""}, {2, "\"Calculated\""}};
static const char key_slant_range_pedigree[64] = "\"slant_range_pedigree\":";
static const char key_line_coordinate[64] = "\"line_coordinate\":";
static const char key_sample_coordinate[64] = "\"sample_coordinate\":";
static const char key_lrf_divergence[64] = "\"lrf_divergence\":";
static const char key_radial_distortion_valid_range[64] = "\"radial_distortion_valid_range\":";
static const char key_precision_timestamp[64] = "\"precision_timestamp\":";
static const char key_sensor_calibrated_effective_focal_length_extended[64] = "\"sensor_calibrated_effective_focal_length_extended\":";
static const struct item items_st1107[48] = {
    [1] = {key_sensor_ecef_position_component_x, 35, K_IMAPB, F_ZERO, 0, 0, 31, 0, 1, 8, 0, -1000000000.0, 1000000000.0, 1.0, 1.0, 0, 0, 0, 0, 0},
    [2] = {key_sensor_ecef_position_component_y, 35, K_IMAPB, F_ZERO, 0, 0, 31, 0, 1, 8, 0, -1000000000.0, 1000000000.0, 1.0, 1.0, 0, 0, 0, 0, 0},
    [3] = {key_sensor_ecef_position_component_z, 35, K_IMAPB, F_ZERO, 0, 0, 31, 0, 1, 8, 0, -1000000000.0, 1000000000.0, 1.0, 1.0, 0, 0, 0, 0, 0},
    [4] = {key_sensor_ecef_velocity_component_x, 35, K_IMAPB, F_ZERO, 0, 0, 16, 0, 1, 8, 0, -25000.0, 25000.0, 1.0, 1.0, 0, 0, 0, 0, 0},
    [5] = {key_sensor_ecef_velocity_component_y, 35, K_IMAPB, F_ZERO, 0, 0, 16, 0, 1, 8, 0, -25000.0, 25000.0, 1.0, 1.0, 0, 0, 0, 0, 0},
    [6] = {key_sensor_ecef_velocity_component_z, 35, K_IMAPB, F_ZERO, 0, 0, 16, 0, 1, 8, 0, -25000.0, 25000.0, 1.0, 1.0, 0, 0, 0, 0, 0},
    [7] = {key_sensor_absolute_azimuth, 26, K_IMAPB, F_ZERO, 0, 0, 1, 0, 1, 8, 0, 0.0, 2.0, 1.0, 1.0, 0, 0, 0, 0, 0},
    [8] = {key_sensor_absolute_pitch, 24, K_IMAPB, F_ZERO, 0, 0, 1, 0, 1, 8, 0, -1.0, 1.0, 1.0, 1.0, 0, 0, 0, 0, 0},
    [9] = {key_sensor_absolute_roll, 23, K_IMAPB, F_ZERO, 0, 0, 1, 0, 1, 8, 0, -1.0, 1.0, 1.0, 1.0, 0, 0, 0, 0, 0},
    [10] = {key_sensor_absolute_azimuth_rate, 31, K_IMAPB, F_ZERO, 0, 0, 1, 0, 1, 8, 0, -1.0, 1.0, 1.0, 1.0, 0, 0, 0, 0, 0},
    [11] = {key_sensor_absolute_pitch_rate, 29, K_IMAPB, F_ZERO, 0, 0, 1, 0, 1, 8, 0, -1.0, 1.0, 1.0, 1.0, 0, 0, 0, 0, 0},
    [12] = {key_sensor_absolute_roll_rate, 28, K_IMAPB, F_ZERO, 0, 0, 1, 0, 1, 8, 0, -1.0, 1.0, 1.0, 1.0, 0, 0, 0, 0, 0},
    [13] = {key_boresight_offset_delta_x, 27, K_IMAPB, F_ZERO, 0, 0, 10, 0, 1, 8, 0, -300.0, 300.0, 1.0, 1.0, 0, 0, 0, 0, 0},
    [14] = {key_boresight_offset_delta_y, 27, K_IMAPB, F_ZERO, 0, 0, 10, 0, 1, 8, 0, -300.0, 300.0, 1.0, 1.0, 0, 0, 0, 0, 0},
    [15] = {key_boresight_offset_delta_z, 27, K_IMAPB, F_ZERO, 0, 0, 10, 0, 1, 8, 0, -300.0, 300.0, 1.0, 1.0, 0, 0, 0, 0, 0},
    [16] = {key_boresight_delta_angle_1, 26, K_IMAPB, F_ZERO, 0, 0, -1, 0, 1, 8, 0, -0.25, 0.25, 1.0, 1.0, 0, 0, 0, 0, 0},
    [17] = {key_boresight_delta_angle_2, 26, K_IMAPB, F_ZERO, 0, 0, -1, 0, 1, 8, 0, -0.25, 0.25, 1.0, 1.0, 0, 0, 0, 0, 0},
    [18] = {key_boresight_delta_angle_3, 26, K_IMAPB, F_ZERO, 0, 0, -1, 0, 1, 8, 0, -0.25, 0.25, 1.0, 1.0, 0, 0, 0, 0, 0},
    [19] = {key_focal_plane_principal_point_offset_y, 39, K_IMAPB, F_ZERO, 0, 0, 6, 0, 1, 8, 0, -25.0, 25.0, 1.0, 1.0, 0, 0, 0, 0, 0},
    [20] = {key_focal_plane_principal_point_offset_x, 39, K_IMAPB, F_ZERO, 0, 0, 6, 0, 1, 8, 0, -25.0, 25.0, 1.0, 1.0, 0, 0, 0, 0, 0},
    [21] = {key_sensor_calibrated_effective_focal_length, 43, K_IMAPB, F_ZERO, 0, 0, 14, 0, 1, 8, 0, 0.0, 10000.0, 1.0, 1.0, 0, 0, 0, 0, 0},
    [22] = {key_radial_distortion_constant, 29, K_FLOAT, F_ZERO, 0, 0, 0, 0, 4, 8, 0, 0.0, 0.0, 1.0, 1.0, 0, 0, 0, 0, 0},
    [23] = {key_radial_distortion_parameter_1, 32, K_FLOAT, F_ZERO, 0, 0, 0, 0, 4, 8, 0, 0.0, 0.0, 1.0, 1.0, 0, 0, 0, 0, 0},
    [24] = {key_radial_distortion_parameter_2, 32, K_FLOAT, F_ZERO, 0, 0, 0, 0, 4, 8, 0, 0.0, 0.0, 1.0, 1.0, 0, 0, 0, 0, 0},
    [25] = {key_radial_distortion_parameter_3, 32, K_FLOAT, F_ZERO, 0, 0, 0, 0, 4, 8, 0, 0.0, 0.0, 1.0, 1.0, 0, 0, 0, 0, 0},
    [26] = {key_tangential_decentering_parameter_1, 37, K_FLOAT, F_ZERO, 0, 0, 0, 0, 4, 8, 0, 0.0, 0.0, 1.0, 1.0, 0, 0, 0, 0, 0},
    [27] = {key_tangential_decentering_parameter_2, 37, K_FLOAT, F_ZERO, 0, 0, 0, 0, 4, 8, 0, 0.0, 0.0, 1.0, 1.0, 0, 0, 0, 0, 0},
    [28] = {key_tangential_decentering_parameter_3, 37, K_FLOAT, F_ZERO, 0, 0, 0, 0, 4, 8, 0, 0.0, 0.0, 1.0, 1.0, 0, 0, 0, 0, 0},
    [29] = {key_differential_scale_affine_parameter, 38, K_FLOAT, F_ZERO, 0, 0, 0, 0, 4, 8, 0, 0.0, 0.0, 1.0, 1.0, 0, 0, 0, 0, 0},
    [30] = {key_skewness_affine_parameter, 28, K_FLOAT, F_ZERO, 0, 0, 0, 0, 4, 8, 0, 0.0, 0.0, 1.0, 1.0, 0, 0, 0, 0, 0},
    [31] = {key_slant_range, 14, K_FLOAT, F_ZERO, 0, 0, 0, 0, 4, 8, 0, 0.0, 0.0, 1.0, 1.0, 0, 0, 0, 0, 0},
    [32] = {key_sdcc_flp, 11, K_SDCC, F_ZERO | F_REPEATS, 0, 0, 0, 0, 2, 0, 0, 0.0, 0.0, 1.0, 1.0, 0, 0, 0, 0, 0},
    [33] = {key_generalized_transformation_local_set, 39, K_SET, F_ZERO | F_REPEATS, 0, 0, 0, 0, 0, 0, 0, 0.0, 0.0, 1.0, 1.0, 0, 0, 0, &set_st1202, 0},
    [34] = {key_image_rows, 13, K_UINT, F_ZERO, 0, 0, 0, 0, 2, 2, 0, 0.0, 65535.0, 1.0, 1.0, 0, 0, 0, 0, 0},
    [35] = {key_image_columns, 16, K_UINT, F_ZERO, 0, 0, 0, 0, 2, 2, 0, 0.0, 65535.0, 1.0, 1.0, 0, 0, 0, 0, 0},
    [36] = {key_pixel_size_x, 15, K_IMAPB, F_ZERO, 0, 0, -3, 0, 1, 8, 0, 0.0001, 0.1, 1.0, 1.0, 0, 0, 0, 0, 0},
    [37] = {key_pixel_size_y, 15, K_IMAPB, F_ZERO, 0, 0, -3, 0, 1, 8, 0, 0.0001, 0.1, 1.0, 1.0, 0, 0, 0, 0, 0},
    [38] = {key_slant_range_pedigree, 23, K_ENUM, F_ZERO, 0, 0, 0, 0, 1, 1, 3, 0.0, 255.0, 1.0, 1.0, 0, codes_st1107_38_slant_range_pedigree, 0, 0, 0},
    [39] = {key_line_coordinate, 18, K_FLOAT, F_ZERO, 0, 0, 0, 0, 4, 8, 0, 0.0, 0.0, 1.0, 1.0, 0, 0, 0, 0, 0},
    [40] = {key_sample_coordinate, 20, K_FLOAT, F_ZERO, 0, 0, 0, 0, 4, 8, 0, 0.0, 0.0, 1.0, 1.0, 0, 0, 0, 0, 0},
    [41] = {key_lrf_divergence, 17, K_FLOAT, F_ZERO, 0, 0, 0, 0, 4, 8, 0, 0.0, 0.0, 1.0, 1.0, 0, 0, 0, 0, 0},
    [42] = {key_radial_distortion_valid_range, 32, K_FLOAT, F_ZERO, 0, 0, 0, 0, 4, 8, 0, 0.0, 0.0, 1.0, 1.0, 0, 0, 0, 0, 0},
    [43] = {key_precision_timestamp, 22, K_UINT, F_ZERO, 0, 0, 0, 0, 8, 8, 0, 0.0, 1.8446744073709552e+19, 1.0, 1.0, 0, 0, 0, 0, 0},
    [44] = {key_document_version, 19, K_UINT, F_ZERO | F_OID, 0, 0, 0, 0, 1, 0, 0, 0.0, 0.0, 1.0, 1.0, 0, 0, 0, 0, 0},
    [45] = {key_checksum, 11, K_UINT, 0, 0, 0, 0, 0, 2, 2, 0, 0.0, 65535.0, 1.0, 1.0, 0, 0, 0, 0, 0},
    [46] = {key_leap_seconds, 15, K_INT, F_ZERO, 0, 0, 0, 0, 1, 4, 0, 0.0, 0.0, 1.0, 1.0, 0, 0, 0, 0, 0},
    [47] = {key_sensor_calibrated_effective_focal_length_extended, 52, K_IMAPB, F_ZERO, 0, 0, 17, 0, 1, 8, 0, 0.0, 100000.0, 1.0, 1.0, 0, 0, 0, 0, 0}
};
static const struct code codes_st1108_1_assessment_point[] = {{0, "\"Undefined\""}, {1, "\"Sensor\""}, {2, "\"Sensor Encoder\""}, {3, "\"GCS Received\""}, {4, "\"GCS Transmit\""}, {5, "\"Library/Archive\""}};
static const char key_assessment_point[64] = "\"assessment_point\":";
static const char key_start_time[64] = "\"start_time\":";
static const char key_time_offset[64] = "\"time_offset\":";
static const struct element elements_metricperiod[] = {
    {P_FIX, 0, O_NONE, 0, {key_start_time, 13, K_UINT, F_ZERO, 0, 0, 0, 0, 8, 8, 0, 0.0, 1.8446744073709552e+19, 1.0, 1.0, 0, 0, 0, 0, 0}},
    {P_FIX, 0, O_NONE, 0, {key_time_offset, 14, K_UINT, F_ZERO, 0, 0, 0, 0, 4, 4, 0, 0.0, 4294967295.0, 1.0, 1.0, 0, 0, 0, 0, 0}}
};
static const struct pack pack_metricperiod = {elements_metricperiod, 2};
static const char key_metric_period_pack[64] = "\"metric_period_pack\":";
static const char key_start_row[64] = "\"start_row\":";
static const char key_start_column[64] = "\"start_column\":";
static const char key_end_row[64] = "\"end_row\":";
static const char key_end_column[64] = "\"end_column\":";
static const struct element elements_windowcorners[] = {
    {P_OID, 0, O_NONE, 0, {key_start_row, 12, K_UINT, F_ZERO, 0, 0, 0, 0, 0, 0, 0, 0.0, 0.0, 1.0, 1.0, 0, 0, 0, 0, 0}},
    {P_OID, 0, O_NONE, 0, {key_start_column, 15, K_UINT, F_ZERO, 0, 0, 0, 0, 0, 0, 0, 0.0, 0.0, 1.0, 1.0, 0, 0, 0, 0, 0}},
    {P_OID, 0, O_NONE, 0, {key_end_row, 10, K_UINT, F_ZERO, 0, 0, 0, 0, 0, 0, 0, 0.0, 0.0, 1.0, 1.0, 0, 0, 0, 0, 0}},
    {P_OID, 0, O_NONE, 0, {key_end_column, 13, K_UINT, F_ZERO, 0, 0, 0, 0, 0, 0, 0, 0.0, 0.0, 1.0, 1.0, 0, 0, 0, 0, 0}}
};
static const struct pack pack_windowcorners = {elements_windowcorners, 4};
static const char key_window_corners_pack[64] = "\"window_corners_pack\":";
static const char key_metric_local_set[64] = "\"metric_local_set\":";
static const struct code codes_st1108_5_compression_type[] = {{0, "\"Uncompressed\""}, {1, "\"H.262\""}, {2, "\"H.264\""}, {3, "\"H.265\""}, {4, "\"JPEG2000\""}};
static const char key_compression_type[64] = "\"compression_type\":";
static const struct code codes_st1108_6_compression_profile[] = {{0, "\"Uncompressed\""}, {1, "\"Main\""}, {2, "\"Main 10\""}, {3, "\"Constrained Baseline\""}, {4, "\"High\""}, {5, "\"Main 4:2:2 12\""}, {6, "\"Main 4:4:4 12\""}, {7, "\"High 4:2:2\""}, {8, "\"High 4:4:4 Predictive\""}};
static const char key_compression_profile[64] = "\"compression_profile\":";
static const char key_compression_level[64] = "\"compression_level\":";
static const char key_compression_ratio[64] = "\"compression_ratio\":";
static const char key_stream_bitrate[64] = "\"stream_bitrate\":";
static const struct item items_st1108[12] = {
    [1] = {key_assessment_point, 19, K_ENUM, F_ZERO, 0, 0, 0, 0, 1, 1, 6, 0.0, 5.0, 1.0, 1.0, 0, codes_st1108_1_assessment_point, 0, 0, 0},
    [2] = {key_metric_period_pack, 21, K_PACK, F_ZERO, 0, 0, 0, 0, 12, 12, 0, 0.0, 0.0, 1.0, 1.0, 0, 0, 0, 0, &pack_metricperiod},
    [3] = {key_window_corners_pack, 22, K_PACK, F_ZERO, 0, 0, 0, 0, 4, 0, 0, 0.0, 0.0, 1.0, 1.0, 0, 0, 0, 0, &pack_windowcorners},
    [4] = {key_metric_local_set, 19, K_SET, F_ZERO | F_REPEATS, 0, 0, 0, 0, 0, 0, 0, 0.0, 0.0, 1.0, 1.0, 0, 0, 0, &set_st1108metric, 0},
    [5] = {key_compression_type, 19, K_ENUM, F_ZERO, 0, 0, 0, 0, 1, 1, 5, 0.0, 4.0, 1.0, 1.0, 0, codes_st1108_5_compression_type, 0, 0, 0},
    [6] = {key_compression_profile, 22, K_ENUM, F_ZERO, 0, 0, 0, 0, 1, 1, 9, 0.0, 8.0, 1.0, 1.0, 0, codes_st1108_6_compression_profile, 0, 0, 0},
    [7] = {key_compression_level, 20, K_TEXT, F_ZERO, 0, 0, 0, 0, 0, 0, 0, 0.0, 0.0, 1.0, 1.0, 0, 0, 0, 0, 0},
    [8] = {key_compression_ratio, 20, K_FLOAT, F_ZERO, 0, 0, 0, 0, 4, 8, 0, 0.0, 0.0, 1.0, 1.0, 0, 0, 0, 0, 0},
    [9] = {key_stream_bitrate, 17, K_UINT, F_ZERO, 0, 0, 0, 0, 1, 4, 0, 0.0, 0.0, 1.0, 1.0, 0, 0, 0, 0, 0},
    [10] = {key_document_version, 19, K_UINT, F_ZERO, 0, 0, 0, 0, 1, 1, 0, 0.0, 255.0, 1.0, 1.0, 0, 0, 0, 0, 0},
    [11] = {key_crc16, 8, K_UINT, 0, 0, 0, 0, 0, 2, 2, 0, 0.0, 65535.0, 1.0, 1.0, 0, 0, 0, 0, 0}
};
static const char key_metric_name[64] = "\"metric_name\":";
static const char key_metric_version[64] = "\"metric_version\":";
static const char key_metric_implementer[64] = "\"metric_implementer\":";
static const char key_metric_parameters[64] = "\"metric_parameters\":";
static const char key_metric_time[64] = "\"metric_time\":";
static const char key_metric_value[64] = "\"metric_value\":";
static const struct item items_st1108metric[7] = {
    [1] = {key_metric_name, 14, K_TEXT, F_ZERO, 0, 0, 0, 0, 0, 0, 0, 0.0, 0.0, 1.0, 1.0, 0, 0, 0, 0, 0},
    [2] = {key_metric_version, 17, K_TEXT, F_ZERO, 0, 0, 0, 0, 0, 0, 0, 0.0, 0.0, 1.0, 1.0, 0, 0, 0, 0, 0},
    [3] = {key_metric_implementer, 21, K_TEXT, F_ZERO, 0, 0, 0, 0, 0, 0, 0, 0.0, 0.0, 1.0, 1.0, 0, 0, 0, 0, 0},
    [4] = {key_metric_parameters, 20, K_TEXT, F_ZERO, 0, 0, 0, 0, 0, 0, 0, 0.0, 0.0, 1.0, 1.0, 0, 0, 0, 0, 0},
    [5] = {key_metric_time, 14, K_UINT, F_ZERO, 0, 0, 0, 0, 8, 8, 0, 0.0, 1.8446744073709552e+19, 1.0, 1.0, 0, 0, 0, 0, 0},
    [6] = {key_metric_value, 15, K_FLOAT, F_ZERO, 0, 0, 0, 0, 4, 8, 0, 0.0, 0.0, 1.0, 1.0, 0, 0, 0, 0, 0}
};
static const char key_x_equation_numerator_x_factor[64] = "\"x_equation_numerator_x_factor\":";
static const char key_x_equation_numerator_y_factor[64] = "\"x_equation_numerator_y_factor\":";
static const char key_x_equation_numerator_constant_factor[64] = "\"x_equation_numerator_constant_factor\":";
static const char key_y_equation_numerator_x_factor[64] = "\"y_equation_numerator_x_factor\":";
static const char key_y_equation_numerator_y_factor[64] = "\"y_equation_numerator_y_factor\":";
static const char key_y_equation_numerator_constant_factor[64] = "\"y_equation_numerator_constant_factor\":";
static const char key_denominator_x_factor[64] = "\"denominator_x_factor\":";
static const char key_denominator_y_factor[64] = "\"denominator_y_factor\":";
static const struct code codes_st1202_11_transformation_type[] = {{0, "\"No Defined Transformation\""}, {1, "\"Chipping\""}, {2, "\"Child-Parent\""}, {3, "\"Default Pixel-to-Image\""}, {4, "\"Optical\""}};
static const char key_transformation_type[64] = "\"transformation_type\":";
static const struct item items_st1202[12] = {
    [1] = {key_x_equation_numerator_x_factor, 32, K_FLOAT, F_ZERO, 0, 0, 0, 0, 4, 8, 0, 0.0, 0.0, 1.0, 1.0, 0, 0, 0, 0, 0},
    [2] = {key_x_equation_numerator_y_factor, 32, K_FLOAT, F_ZERO, 0, 0, 0, 0, 4, 8, 0, 0.0, 0.0, 1.0, 1.0, 0, 0, 0, 0, 0},
    [3] = {key_x_equation_numerator_constant_factor, 39, K_FLOAT, F_ZERO, 0, 0, 0, 0, 4, 8, 0, 0.0, 0.0, 1.0, 1.0, 0, 0, 0, 0, 0},
    [4] = {key_y_equation_numerator_x_factor, 32, K_FLOAT, F_ZERO, 0, 0, 0, 0, 4, 8, 0, 0.0, 0.0, 1.0, 1.0, 0, 0, 0, 0, 0},
    [5] = {key_y_equation_numerator_y_factor, 32, K_FLOAT, F_ZERO, 0, 0, 0, 0, 4, 8, 0, 0.0, 0.0, 1.0, 1.0, 0, 0, 0, 0, 0},
    [6] = {key_y_equation_numerator_constant_factor, 39, K_FLOAT, F_ZERO, 0, 0, 0, 0, 4, 8, 0, 0.0, 0.0, 1.0, 1.0, 0, 0, 0, 0, 0},
    [7] = {key_denominator_x_factor, 23, K_FLOAT, F_ZERO, 0, 0, 0, 0, 4, 8, 0, 0.0, 0.0, 1.0, 1.0, 0, 0, 0, 0, 0},
    [8] = {key_denominator_y_factor, 23, K_FLOAT, F_ZERO, 0, 0, 0, 0, 4, 8, 0, 0.0, 0.0, 1.0, 1.0, 0, 0, 0, 0, 0},
    [9] = {key_sdcc_flp, 11, K_SDCC, F_ZERO | F_REPEATS, 0, 0, 0, 0, 2, 0, 0, 0.0, 0.0, 1.0, 1.0, 0, 0, 0, 0, 0},
    [10] = {key_document_version, 19, K_UINT, F_ZERO, 0, 0, 0, 0, 1, 1, 0, 0.0, 255.0, 1.0, 1.0, 0, 0, 0, 0, 0},
    [11] = {key_transformation_type, 22, K_ENUM, F_ZERO, 0, 0, 0, 0, 1, 1, 5, 0.0, 4.0, 1.0, 1.0, 0, codes_st1202_11_transformation_type, 0, 0, 0}
};
static const char key_grazing_angle[64] = "\"grazing_angle\":";
static const char key_ground_plane_squint_angle[64] = "\"ground_plane_squint_angle\":";
static const struct code codes_st1206_3_look_direction[] = {{0, "\"Left\""}, {1, "\"Right\""}};
static const char key_look_direction[64] = "\"look_direction\":";
static const struct code codes_st1206_4_image_plane[] = {{0, "\"Slant\""}, {1, "\"Ground\""}, {2, "\"Other\""}};
static const char key_image_plane[64] = "\"image_plane\":";
static const char key_range_resolution[64] = "\"range_resolution\":";
static const char key_cross_range_resolution[64] = "\"cross_range_resolution\":";
static const char key_range_image_plane_pixel_size[64] = "\"range_image_plane_pixel_size\":";
static const char key_cross_range_image_plane_pixel_size[64] = "\"cross_range_image_plane_pixel_size\":";
static const char key_range_direction_angle[64] = "\"range_direction_angle\":";
static const char key_true_north_direction[64] = "\"true_north_direction\":";
static const char key_range_layover_angle[64] = "\"range_layover_angle\":";
static const char key_ground_aperture_angular_extent[64] = "\"ground_aperture_angular_extent\":";
static const char key_aperture_duration[64] = "\"aperture_duration\":";
static const char key_ground_track_angle[64] = "\"ground_track_angle\":";
static const char key_minimum_detectable_velocity[64] = "\"minimum_detectable_velocity\":";
static const char key_true_pulse_repetition_frequency[64] = "\"true_pulse_repetition_frequency\":";
static const char key_pulse_repetition_frequency_scale_factor[64] = "\"pulse_repetition_frequency_scale_factor\":";
static const char key_transmit_rf_center_frequency[64] = "\"transmit_rf_center_frequency\":";
static const char key_transmit_rf_bandwidth[64] = "\"transmit_rf_bandwidth\":";
static const char key_radar_cross_section_scale_factor_polynomial[64] = "\"radar_cross_section_scale_factor_polynomial\":";
static const char key_reference_frame_precision_time_stamp[64] = "\"reference_frame_precision_time_stamp\":";
static const char key_reference_frame_grazing_angle[64] = "\"reference_frame_grazing_angle\":";
static const char key_reference_frame_ground_plane_squint_angle[64] = "\"reference_frame_ground_plane_squint_angle\":";
static const char key_reference_frame_range_direction_angle[64] = "\"reference_frame_range_direction_angle\":";
static const char key_reference_frame_range_layover_angle[64] = "\"reference_frame_range_layover_angle\":";
static const struct item items_st1206[29] = {
    [1] = {key_grazing_angle, 16, K_IMAPB, F_ZERO, 0, 0, 7, 0, 2, 2, 0, 0.0, 90.0, 1.0, 1.0, 0, 0, 0, 0, 0},
    [2] = {key_ground_plane_squint_angle, 28, K_IMAPB, F_ZERO, 0, 0, 8, 0, 2, 2, 0, -90.0, 90.0, 1.0, 1.0, 0, 0, 0, 0, 0},
    [3] = {key_look_direction, 17, K_ENUM, F_ZERO, 0, 0, 0, 0, 1, 1, 2, 0.0, 1.0, 1.0, 1.0, 0, codes_st1206_3_look_direction, 0, 0, 0},
    [4] = {key_image_plane, 14, K_ENUM, F_ZERO, 0, 0, 0, 0, 1, 1, 3, 0.0, 2.0, 1.0, 1.0, 0, codes_st1206_4_image_plane, 0, 0, 0},
    [5] = {key_range_resolution, 19, K_IMAPB, F_ZERO, 0, 0, 20, 0, 4, 4, 0, 0.0, 1000000.0, 1.0, 1.0, 0, 0, 0, 0, 0},
    [6] = {key_cross_range_resolution, 25, K_IMAPB, F_ZERO, 0, 0, 20, 0, 4, 4, 0, 0.0, 1000000.0, 1.0, 1.0, 0, 0, 0, 0, 0},
    [7] = {key_range_image_plane_pixel_size, 31, K_IMAPB, F_ZERO, 0, 0, 20, 0, 4, 4, 0, 0.0, 1000000.0, 1.0, 1.0, 0, 0, 0, 0, 0},
    [8] = {key_cross_range_image_plane_pixel_size, 37, K_IMAPB, F_ZERO, 0, 0, 20, 0, 4, 4, 0, 0.0, 1000000.0, 1.0, 1.0, 0, 0, 0, 0, 0},
    [9] = {key_image_rows, 13, K_UINT, F_ZERO, 0, 0, 0, 0, 2, 2, 0, 0.0, 65535.0, 1.0, 1.0, 0, 0, 0, 0, 0},
    [10] = {key_image_columns, 16, K_UINT, F_ZERO, 0, 0, 0, 0, 2, 2, 0, 0.0, 65535.0, 1.0, 1.0, 0, 0, 0, 0, 0},
    [11] = {key_range_direction_angle, 24, K_IMAPB, F_ZERO, 0, 0, 9, 0, 2, 2, 0, 0.0, 360.0, 1.0, 1.0, 0, 0, 0, 0, 0},
    [12] = {key_true_north_direction, 23, K_IMAPB, F_ZERO, 0, 0, 9, 0, 2, 2, 0, 0.0, 360.0, 1.0, 1.0, 0, 0, 0, 0, 0},
    [13] = {key_range_layover_angle, 22, K_IMAPB, F_ZERO, 0, 0, 9, 0, 2, 2, 0, 0.0, 360.0, 1.0, 1.0, 0, 0, 0, 0, 0},
    [14] = {key_ground_aperture_angular_extent, 33, K_IMAPB, F_ZERO, 0, 0, 7, 0, 2, 2, 0, 0.0, 90.0, 1.0, 1.0, 0, 0, 0, 0, 0},
    [15] = {key_aperture_duration, 20, K_UINT, F_ZERO, 0, 0, 0, 0, 4, 4, 0, 0.0, 4294967295.0, 1.0, 1.0, 0, 0, 0, 0, 0},
    [16] = {key_ground_track_angle, 21, K_IMAPB, F_ZERO, 0, 0, 9, 0, 2, 2, 0, 0.0, 360.0, 1.0, 1.0, 0, 0, 0, 0, 0},
    [17] = {key_minimum_detectable_velocity, 30, K_IMAPB, F_ZERO, 0, 0, 7, 0, 2, 2, 0, 0.0, 100.0, 1.0, 1.0, 0, 0, 0, 0, 0},
    [18] = {key_true_pulse_repetition_frequency, 34, K_IMAPB, F_ZERO, 0, 0, 20, 0, 4, 4, 0, 0.0, 1000000.0, 1.0, 1.0, 0, 0, 0, 0, 0},
    [19] = {key_pulse_repetition_frequency_scale_factor, 42, K_IMAPB, F_ZERO, 0, 0, 0, 0, 2, 2, 0, 0.0, 1.0, 1.0, 1.0, 0, 0, 0, 0, 0},
    [20] = {key_transmit_rf_center_frequency, 31, K_IMAPB, F_ZERO, 0, 0, 40, 0, 4, 4, 0, 0.0, 1000000000000.0, 1.0, 1.0, 0, 0, 0, 0, 0},
    [21] = {key_transmit_rf_bandwidth, 24, K_IMAPB, F_ZERO, 0, 0, 37, 0, 4, 4, 0, 0.0, 100000000000.0, 1.0, 1.0, 0, 0, 0, 0, 0},
    [22] = {key_radar_cross_section_scale_factor_polynomial, 46, K_ARRAY, F_ZERO, 0, 0, 0, C_FLOAT, 0, 0, 0, 0.0, 0.0, 1.0, 1.0, 0, 0, 0, 0, 0},
    [23] = {key_reference_frame_precision_time_stamp, 39, K_UINT, F_ZERO, 0, 0, 0, 0, 8, 8, 0, 0.0, 1.8446744073709552e+19, 1.0, 1.0, 0, 0, 0, 0, 0},
    [24] = {key_reference_frame_grazing_angle, 32, K_IMAPB, F_ZERO, 0, 0, 7, 0, 2, 2, 0, 0.0, 90.0, 1.0, 1.0, 0, 0, 0, 0, 0},
    [25] = {key_reference_frame_ground_plane_squint_angle, 44, K_IMAPB, F_ZERO, 0, 0, 8, 0, 2, 2, 0, -90.0, 90.0, 1.0, 1.0, 0, 0, 0, 0, 0},
    [26] = {key_reference_frame_range_direction_angle, 40, K_IMAPB, F_ZERO, 0, 0, 9, 0, 2, 2, 0, 0.0, 360.0, 1.0, 1.0, 0, 0, 0, 0, 0},
    [27] = {key_reference_frame_range_layover_angle, 38, K_IMAPB, F_ZERO, 0, 0, 9, 0, 2, 2, 0, 0.0, 360.0, 1.0, 1.0, 0, 0, 0, 0, 0},
    [28] = {key_document_version, 19, K_UINT, F_ZERO, 0, 0, 0, 0, 1, 1, 0, 0.0, 255.0, 1.0, 1.0, 0, 0, 0, 0, 0}
};
static const char key_algorithm_name[64] = "\"algorithm_name\":";
static const char key_algorithm_version[64] = "\"algorithm_version\":";
static const char key_correspondence_points_row_column[64] = "\"correspondence_points_row_column\":";
static const char key_correspondence_points_lat_lon[64] = "\"correspondence_points_lat_lon\":";
static const char key_second_image_name[64] = "\"second_image_name\":";
static const char key_algorithm_configuration_identifier[64] = "\"algorithm_configuration_identifier\":";
static const char key_correspondence_points_elevation[64] = "\"correspondence_points_elevation\":";
static const char key_sdcc_row_column[64] = "\"sdcc_row_column\":";
static const char key_sdcc_lat_lon_elevation[64] = "\"sdcc_lat_lon_elevation\":";
static const struct item items_st1601[11] = {
    [1] = {key_document_version, 19, K_UINT, F_ZERO, 0, 0, 0, 0, 1, 0, 0, 0.0, 0.0, 1.0, 1.0, 0, 0, 0, 0, 0},
    [2] = {key_algorithm_name, 17, K_TEXT, F_ZERO, 0, 0, 0, 0, 0, 0, 0, 0.0, 0.0, 1.0, 1.0, 0, 0, 0, 0, 0},
    [3] = {key_algorithm_version, 20, K_TEXT, F_ZERO, 0, 0, 0, 0, 0, 0, 0, 0.0, 0.0, 1.0, 1.0, 0, 0, 0, 0, 0},
    [4] = {key_correspondence_points_row_column, 35, K_ARRAY, F_ZERO, 0, 0, 0, C_UINT, 0, 0, 0, 0.0, 0.0, 1.0, 1.0, 0, 0, 0, 0, 0},
    [5] = {key_correspondence_points_lat_lon, 32, K_ARRAY, F_ZERO, 0, 0, 0, C_FLOAT, 0, 0, 0, 0.0, 0.0, 1.0, 1.0, 0, 0, 0, 0, 0},
    [6] = {key_second_image_name, 20, K_TEXT, F_ZERO, 0, 0, 0, 0, 0, 0, 0, 0.0, 0.0, 1.0, 1.0, 0, 0, 0, 0, 0},
    [7] = {key_algorithm_configuration_identifier, 37, K_UUID, F_ZERO, 0, 0, 0, 0, 16, 16, 0, 0.0, 0.0, 1.0, 1.0, 0, 0, 0, 0, 0},
    [8] = {key_correspondence_points_elevation, 34, K_ARRAY, F_ZERO, 0, 0, 0, C_FLOAT, 0, 0, 0, 0.0, 0.0, 1.0, 1.0, 0, 0, 0, 0, 0},
    [9] = {key_sdcc_row_column, 18, K_ARRAY, F_ZERO, 0, 0, 0, C_PIXEL_SDCC, 0, 0, 0, 0.0, 0.0, 1.0, 1.0, 0, 0, 0, 0, 0},
    [10] = {key_sdcc_lat_lon_elevation, 25, K_ARRAY, F_ZERO, 0, 0, 0, C_PLACE_SDCC, 0, 0, 0, 0.0, 0.0, 1.0, 1.0, 0, 0, 0, 0, 0}
};
static const char key_source_image_rows[64] = "\"source_image_rows\":";
static const char key_source_image_columns[64] = "\"source_image_columns\":";
static const char key_source_image_aoi_rows[64] = "\"source_image_aoi_rows\":";
static const char key_source_image_aoi_columns[64] = "\"source_image_aoi_columns\":";
static const char key_source_image_aoi_position_x[64] = "\"source_image_aoi_position_x\":";
static const char key_source_image_aoi_position_y[64] = "\"source_image_aoi_position_y\":";
static const char key_sub_image_rows[64] = "\"sub_image_rows\":";
static const char key_sub_image_columns[64] = "\"sub_image_columns\":";
static const char key_sub_image_position_x[64] = "\"sub_image_position_x\":";
static const char key_sub_image_position_y[64] = "\"sub_image_position_y\":";
static const char key_active_sub_image_rows[64] = "\"active_sub_image_rows\":";
static const char key_active_sub_image_columns[64] = "\"active_sub_image_columns\":";
static const char key_active_sub_image_offset_x[64] = "\"active_sub_image_offset_x\":";
static const char key_active_sub_image_offset_y[64] = "\"active_sub_image_offset_y\":";
static const char key_transparency[64] = "\"transparency\":";
static const char key_z_order[64] = "\"z_order\":";
static const struct item items_st1602[19] = {
    [1] = {key_precision_time_stamp, 23, K_UINT, F_ZERO, 0, 0, 0, 0, 8, 8, 0, 0.0, 1.8446744073709552e+19, 1.0, 1.0, 0, 0, 0, 0, 0},
    [2] = {key_document_version, 19, K_UINT, F_ZERO | F_OID, 0, 0, 0, 0, 1, 0, 0, 0.0, 0.0, 1.0, 1.0, 0, 0, 0, 0, 0},
    [3] = {key_source_image_rows, 20, K_UINT, F_ZERO, 0, 0, 0, 0, 1, 4, 0, 0.0, 0.0, 1.0, 1.0, 0, 0, 0, 0, 0},
    [4] = {key_source_image_columns, 23, K_UINT, F_ZERO, 0, 0, 0, 0, 1, 4, 0, 0.0, 0.0, 1.0, 1.0, 0, 0, 0, 0, 0},
    [5] = {key_source_image_aoi_rows, 24, K_UINT, F_ZERO, 0, 0, 0, 0, 1, 4, 0, 0.0, 0.0, 1.0, 1.0, 0, 0, 0, 0, 0},
    [6] = {key_source_image_aoi_columns, 27, K_UINT, F_ZERO, 0, 0, 0, 0, 1, 4, 0, 0.0, 0.0, 1.0, 1.0, 0, 0, 0, 0, 0},
    [7] = {key_source_image_aoi_position_x, 30, K_INT, F_ZERO, 0, 0, 0, 0, 1, 4, 0, 0.0, 0.0, 1.0, 1.0, 0, 0, 0, 0, 0},
    [8] = {key_source_image_aoi_position_y, 30, K_INT, F_ZERO, 0, 0, 0, 0, 1, 4, 0, 0.0, 0.0, 1.0, 1.0, 0, 0, 0, 0, 0},
    [9] = {key_sub_image_rows, 17, K_UINT, F_ZERO, 0, 0, 0, 0, 1, 4, 0, 0.0, 0.0, 1.0, 1.0, 0, 0, 0, 0, 0},
    [10] = {key_sub_image_columns, 20, K_UINT, F_ZERO, 0, 0, 0, 0, 1, 4, 0, 0.0, 0.0, 1.0, 1.0, 0, 0, 0, 0, 0},
    [11] = {key_sub_image_position_x, 23, K_INT, F_ZERO, 0, 0, 0, 0, 1, 4, 0, 0.0, 0.0, 1.0, 1.0, 0, 0, 0, 0, 0},
    [12] = {key_sub_image_position_y, 23, K_INT, F_ZERO, 0, 0, 0, 0, 1, 4, 0, 0.0, 0.0, 1.0, 1.0, 0, 0, 0, 0, 0},
    [13] = {key_active_sub_image_rows, 24, K_UINT, F_ZERO, 0, 0, 0, 0, 1, 4, 0, 0.0, 0.0, 1.0, 1.0, 0, 0, 0, 0, 0},
    [14] = {key_active_sub_image_columns, 27, K_UINT, F_ZERO, 0, 0, 0, 0, 1, 4, 0, 0.0, 0.0, 1.0, 1.0, 0, 0, 0, 0, 0},
    [15] = {key_active_sub_image_offset_x, 28, K_INT, F_ZERO, 0, 0, 0, 0, 1, 4, 0, 0.0, 0.0, 1.0, 1.0, 0, 0, 0, 0, 0},
    [16] = {key_active_sub_image_offset_y, 28, K_INT, F_ZERO, 0, 0, 0, 0, 1, 4, 0, 0.0, 0.0, 1.0, 1.0, 0, 0, 0, 0, 0},
    [17] = {key_transparency, 15, K_UINT, F_ZERO, 0, 0, 0, 0, 1, 1, 0, 0.0, 255.0, 1.0, 1.0, 0, 0, 0, 0, 0},
    [18] = {key_z_order, 10, K_UINT, F_ZERO, 0, 0, 0, 0, 1, 1, 0, 0.0, 255.0, 1.0, 1.0, 0, 0, 0, 0, 0}
};
static const char key_sensor_roll_angle[64] = "\"sensor_roll_angle\":";
static const char key_angle_to_north[64] = "\"angle_to_north\":";
static const char key_obliquity_angle[64] = "\"obliquity_angle\":";
static const char key_start_date_time_utc[64] = "\"start_date_time_utc\":";
static const char key_array[64] = "\"array\":";

static const struct set set_st0601 = {"ST0601", {0x06, 0x0e, 0x2b, 0x34, 0x02, 0x0b, 0x01, 0x01, 0x0e, 0x01, 0x03, 0x01, 0x01, 0x00, 0x00, 0x00}, U_LOCAL, SUM_16, 1, 2, 65, 0, 144, items_st0601};
static const struct set set_st0102 = {"ST0102", {0x06, 0x0e, 0x2b, 0x34, 0x02, 0x03, 0x01, 0x01, 0x0e, 0x01, 0x03, 0x03, 0x02, 0x00, 0x00, 0x00}, U_LOCAL, SUM_NONE, 0, 0, 0, 0, 25, items_st0102};
static const struct set set_st0903 = {"ST0903", {0x06, 0x0e, 0x2b, 0x34, 0x02, 0x0b, 0x01, 0x01, 0x0e, 0x01, 0x03, 0x03, 0x06, 0x00, 0x00, 0x00}, U_LOCAL, SUM_16, 1, 2, 0, 4, 104, items_st0903};
static const struct set set_vtarget = {"VTarget", {0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00}, U_LOCAL, SUM_NONE, 0, 0, 0, 0, 108, items_vtarget};
static const struct set set_vtrackitem = {"VTrackItem", {0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00}, U_LOCAL, SUM_NONE, 0, 0, 0, 0, 107, items_vtrackitem};
static const struct set set_vmask = {"VMask", {0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00}, U_LOCAL, SUM_NONE, 0, 0, 0, 0, 3, items_vmask};
static const struct set set_vobject = {"VObject", {0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00}, U_LOCAL, SUM_NONE, 0, 0, 0, 0, 6, items_vobject};
static const struct set set_vfeature = {"VFeature", {0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00}, U_LOCAL, SUM_NONE, 0, 0, 0, 0, 5, items_vfeature};
static const struct set set_vtracker = {"VTracker", {0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00}, U_LOCAL, SUM_NONE, 0, 0, 0, 0, 13, items_vtracker};
static const struct set set_vchip = {"VChip", {0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00}, U_LOCAL, SUM_NONE, 0, 0, 0, 0, 4, items_vchip};
static const struct set set_algorithm = {"Algorithm", {0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00}, U_LOCAL, SUM_NONE, 0, 0, 0, 0, 6, items_algorithm};
static const struct set set_ontology = {"Ontology", {0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00}, U_LOCAL, SUM_NONE, 0, 0, 0, 0, 7, items_ontology};
static const struct set set_st0806 = {"ST0806", {0x06, 0x0e, 0x2b, 0x34, 0x02, 0x0b, 0x01, 0x01, 0x0e, 0x01, 0x03, 0x01, 0x02, 0x00, 0x00, 0x00}, U_LOCAL, SUM_CRC32, 1, 2, 0, 0, 22, items_st0806};
static const struct set set_rvtpoi = {"RvtPoi", {0x06, 0x0e, 0x2b, 0x34, 0x02, 0x0b, 0x01, 0x01, 0x0e, 0x01, 0x03, 0x01, 0x0c, 0x00, 0x00, 0x00}, U_LOCAL, SUM_NONE, 0, 0, 0, 0, 11, items_rvtpoi};
static const struct set set_rvtaoi = {"RvtAoi", {0x06, 0x0e, 0x2b, 0x34, 0x02, 0x0b, 0x01, 0x01, 0x0e, 0x01, 0x03, 0x01, 0x0d, 0x00, 0x00, 0x00}, U_LOCAL, SUM_NONE, 0, 0, 0, 0, 11, items_rvtaoi};
static const struct set set_rvtuserdefined = {"RvtUserDefined", {0x06, 0x0e, 0x2b, 0x34, 0x02, 0x0b, 0x01, 0x01, 0x0e, 0x01, 0x03, 0x01, 0x0f, 0x00, 0x00, 0x00}, U_LOCAL, SUM_NONE, 0, 0, 0, 0, 3, items_rvtuserdefined};
static const struct set set_st1002 = {"ST1002", {0x06, 0x0e, 0x2b, 0x34, 0x02, 0x0b, 0x01, 0x01, 0x0e, 0x01, 0x03, 0x03, 0x0c, 0x00, 0x00, 0x00}, U_LOCAL, SUM_CRC16, 21, 1, 0, 0, 23, items_st1002};
static const struct set set_st1108metric = {"ST1108Metric", {0x06, 0x0e, 0x2b, 0x34, 0x02, 0x03, 0x01, 0x01, 0x0e, 0x01, 0x05, 0x01, 0x00, 0x00, 0x00, 0x00}, U_LOCAL, SUM_NONE, 0, 0, 0, 0, 7, items_st1108metric};
static const struct set set_st1202 = {"ST1202", {0x06, 0x0e, 0x2b, 0x34, 0x02, 0x0b, 0x01, 0x01, 0x0e, 0x01, 0x03, 0x05, 0x05, 0x00, 0x00, 0x00}, U_LOCAL, SUM_NONE, 0, 0, 0, 0, 12, items_st1202};
static const struct set set_st1206 = {"ST1206", {0x06, 0x0e, 0x2b, 0x34, 0x02, 0x0b, 0x01, 0x01, 0x0e, 0x01, 0x03, 0x03, 0x0d, 0x00, 0x00, 0x00}, U_LOCAL, SUM_NONE, 0, 0, 0, 0, 29, items_st1206};
static const struct set set_st1601 = {"ST1601", {0x06, 0x0e, 0x2b, 0x34, 0x02, 0x0b, 0x01, 0x01, 0x0e, 0x01, 0x03, 0x03, 0x01, 0x00, 0x00, 0x00}, U_LOCAL, SUM_NONE, 0, 0, 0, 0, 11, items_st1601};
static const struct set set_st1602 = {"ST1602", {0x06, 0x0e, 0x2b, 0x34, 0x02, 0x0b, 0x01, 0x01, 0x0e, 0x01, 0x03, 0x03, 0x02, 0x00, 0x00, 0x00}, U_LOCAL, SUM_NONE, 0, 1, 0, 0, 19, items_st1602};

const struct set klv_sets[] = {
    {"unknown", {0}, U_WHOLE, SUM_NONE, 0, 0, 0, 0, 0, 0},
    {"ST0601", {0x06, 0x0e, 0x2b, 0x34, 0x02, 0x0b, 0x01, 0x01, 0x0e, 0x01, 0x03, 0x01, 0x01, 0x00, 0x00, 0x00}, U_LOCAL, SUM_16, 1, 2, 65, 0, 144, items_st0601},
    {"ST0102", {0x06, 0x0e, 0x2b, 0x34, 0x02, 0x03, 0x01, 0x01, 0x0e, 0x01, 0x03, 0x03, 0x02, 0x00, 0x00, 0x00}, U_LOCAL, SUM_NONE, 0, 0, 0, 0, 25, items_st0102},
    {"ST0102-US", {0x06, 0x0e, 0x2b, 0x34, 0x02, 0x01, 0x01, 0x01, 0x02, 0x08, 0x02, 0x00, 0x00, 0x00, 0x00, 0x00}, U_SET, SUM_NONE, 0, 0, 0, 0, 0, 0},
    {"ST0104", {0x06, 0x0e, 0x2b, 0x34, 0x02, 0x01, 0x01, 0x01, 0x0e, 0x01, 0x01, 0x02, 0x01, 0x01, 0x00, 0x00}, U_SET, SUM_NONE, 0, 2, 0, 0, 0, 0},
    {"ST0806", {0x06, 0x0e, 0x2b, 0x34, 0x02, 0x0b, 0x01, 0x01, 0x0e, 0x01, 0x03, 0x01, 0x02, 0x00, 0x00, 0x00}, U_LOCAL, SUM_CRC32, 1, 2, 0, 0, 22, items_st0806},
    {"RvtPoi", {0x06, 0x0e, 0x2b, 0x34, 0x02, 0x0b, 0x01, 0x01, 0x0e, 0x01, 0x03, 0x01, 0x0c, 0x00, 0x00, 0x00}, U_LOCAL, SUM_NONE, 0, 0, 0, 0, 11, items_rvtpoi},
    {"RvtAoi", {0x06, 0x0e, 0x2b, 0x34, 0x02, 0x0b, 0x01, 0x01, 0x0e, 0x01, 0x03, 0x01, 0x0d, 0x00, 0x00, 0x00}, U_LOCAL, SUM_NONE, 0, 0, 0, 0, 11, items_rvtaoi},
    {"RvtUserDefined", {0x06, 0x0e, 0x2b, 0x34, 0x02, 0x0b, 0x01, 0x01, 0x0e, 0x01, 0x03, 0x01, 0x0f, 0x00, 0x00, 0x00}, U_LOCAL, SUM_NONE, 0, 0, 0, 0, 3, items_rvtuserdefined},
    {"ST0808", {0x06, 0x0e, 0x2b, 0x34, 0x02, 0x03, 0x01, 0x01, 0x0e, 0x01, 0x03, 0x05, 0x02, 0x00, 0x00, 0x00}, U_LOCAL, SUM_NONE, 0, 0, 0, 0, 0, 0},
    {"ST0903", {0x06, 0x0e, 0x2b, 0x34, 0x02, 0x0b, 0x01, 0x01, 0x0e, 0x01, 0x03, 0x03, 0x06, 0x00, 0x00, 0x00}, U_LOCAL, SUM_16, 1, 2, 0, 4, 104, items_st0903},
    {"VTrack", {0x06, 0x0e, 0x2b, 0x34, 0x02, 0x03, 0x01, 0x01, 0x0e, 0x01, 0x03, 0x03, 0x1e, 0x00, 0x00, 0x00}, U_LOCAL, SUM_16, 1, 2, 0, 0, 104, items_vtrack},
    {"ST1002", {0x06, 0x0e, 0x2b, 0x34, 0x02, 0x0b, 0x01, 0x01, 0x0e, 0x01, 0x03, 0x03, 0x0c, 0x00, 0x00, 0x00}, U_LOCAL, SUM_CRC16, 21, 1, 0, 0, 23, items_st1002},
    {"ST1010", {0x06, 0x0e, 0x2b, 0x34, 0x02, 0x05, 0x01, 0x01, 0x0e, 0x01, 0x03, 0x03, 0x21, 0x00, 0x00, 0x00}, U_WHOLE, SUM_NONE, 0, 0, 0, 0, 0, 0},
    {"ST1107", {0x06, 0x0e, 0x2b, 0x34, 0x02, 0x0b, 0x01, 0x01, 0x0e, 0x01, 0x03, 0x03, 0x22, 0x00, 0x00, 0x00}, U_LOCAL, SUM_CRC16, 45, 43, 0, 0, 48, items_st1107},
    {"ST1108", {0x06, 0x0e, 0x2b, 0x34, 0x02, 0x03, 0x01, 0x01, 0x0e, 0x01, 0x03, 0x03, 0x1c, 0x00, 0x00, 0x00}, U_LOCAL, SUM_CRC16, 11, 0, 0, 0, 12, items_st1108},
    {"ST1108Metric", {0x06, 0x0e, 0x2b, 0x34, 0x02, 0x03, 0x01, 0x01, 0x0e, 0x01, 0x05, 0x01, 0x00, 0x00, 0x00, 0x00}, U_LOCAL, SUM_NONE, 0, 0, 0, 0, 7, items_st1108metric},
    {"ST1202", {0x06, 0x0e, 0x2b, 0x34, 0x02, 0x0b, 0x01, 0x01, 0x0e, 0x01, 0x03, 0x05, 0x05, 0x00, 0x00, 0x00}, U_LOCAL, SUM_NONE, 0, 0, 0, 0, 12, items_st1202},
    {"ST1204", {0x06, 0x0e, 0x2b, 0x34, 0x01, 0x01, 0x01, 0x01, 0x0e, 0x01, 0x04, 0x05, 0x03, 0x00, 0x00, 0x00}, U_WHOLE, SUM_NONE, 0, 0, 0, 0, 0, 0},
    {"ST1206", {0x06, 0x0e, 0x2b, 0x34, 0x02, 0x0b, 0x01, 0x01, 0x0e, 0x01, 0x03, 0x03, 0x0d, 0x00, 0x00, 0x00}, U_LOCAL, SUM_NONE, 0, 0, 0, 0, 29, items_st1206},
    {"ST1303", {0x06, 0x0e, 0x2b, 0x34, 0x02, 0x05, 0x01, 0x01, 0x0e, 0x01, 0x03, 0x03, 0x06, 0x00, 0x00, 0x00}, U_WHOLE, SUM_NONE, 0, 0, 0, 0, 0, 0},
    {"ST1601", {0x06, 0x0e, 0x2b, 0x34, 0x02, 0x0b, 0x01, 0x01, 0x0e, 0x01, 0x03, 0x03, 0x01, 0x00, 0x00, 0x00}, U_LOCAL, SUM_NONE, 0, 0, 0, 0, 11, items_st1601},
    {"ST1602", {0x06, 0x0e, 0x2b, 0x34, 0x02, 0x0b, 0x01, 0x01, 0x0e, 0x01, 0x03, 0x03, 0x02, 0x00, 0x00, 0x00}, U_LOCAL, SUM_NONE, 0, 1, 0, 0, 19, items_st1602},
    {"ST1902", {0x06, 0x0e, 0x2b, 0x34, 0x02, 0x05, 0x01, 0x01, 0x0e, 0x01, 0x05, 0x03, 0x00, 0x00, 0x00, 0x00}, U_LOCAL, SUM_NONE, 0, 0, 0, 0, 0, 0},
};
const int klv_set_count = 24;
const struct set *const klv_st0601 = &klv_sets[1];

const struct keyed klv_keyed[] = {
    {{0x06, 0x0e, 0x2b, 0x34, 0x01, 0x01, 0x01, 0x01, 0x01, 0x20, 0x01, 0x00, 0x00, 0x00, 0x00}, 10, {key_platform_designation, 23, K_TEXT, F_ZERO, 0, 0, 0, 0, 0, 0, 0, 0.0, 0.0, 1.0, 1.0, 0, 0, 0, 0, 0}},
    {{0x06, 0x0e, 0x2b, 0x34, 0x01, 0x01, 0x01, 0x01, 0x03, 0x04, 0x02, 0x00, 0x00, 0x00, 0x00}, 0, {key_stream_id, 12, K_UINT, F_ZERO, 0, 0, 0, 0, 1, 1, 0, 0.0, 255.0, 1.0, 1.0, 0, 0, 0, 0, 0}},
    {{0x06, 0x0e, 0x2b, 0x34, 0x01, 0x01, 0x01, 0x01, 0x03, 0x04, 0x03, 0x00, 0x00, 0x00, 0x00}, 0, {key_transport_stream_id, 22, K_UINT, F_ZERO, 0, 0, 0, 0, 2, 2, 0, 0.0, 65535.0, 1.0, 1.0, 0, 0, 0, 0, 0}},
    {{0x06, 0x0e, 0x2b, 0x34, 0x01, 0x01, 0x01, 0x01, 0x03, 0x06, 0x01, 0x00, 0x00, 0x00, 0x00}, 0, {key_item_designator_id, 21, K_BYTES, F_ZERO, 0, 0, 0, 0, 16, 16, 0, 0.0, 0.0, 1.0, 1.0, 0, 0, 0, 0, 0}},
    {{0x06, 0x0e, 0x2b, 0x34, 0x01, 0x01, 0x01, 0x01, 0x05, 0x05, 0x00, 0x00, 0x00, 0x00, 0x00}, 3, {key_mission_id, 13, K_TEXT, F_ZERO, 0, 0, 0, 0, 0, 0, 0, 0.0, 0.0, 1.0, 1.0, 0, 0, 0, 0, 0}},
    {{0x06, 0x0e, 0x2b, 0x34, 0x01, 0x01, 0x01, 0x02, 0x08, 0x02, 0x01, 0x00, 0x00, 0x00, 0x00}, 0, {key_security_classification, 26, K_TEXT, F_ZERO, 0, 0, 0, 0, 0, 0, 0, 0.0, 0.0, 1.0, 1.0, 0, 0, 0, 0, 0}},
    {{0x06, 0x0e, 0x2b, 0x34, 0x01, 0x01, 0x01, 0x02, 0x08, 0x02, 0x02, 0x00, 0x00, 0x00, 0x00}, 0, {key_caveats, 10, K_TEXT, F_ZERO, 0, 0, 0, 0, 0, 0, 0, 0.0, 0.0, 1.0, 1.0, 0, 0, 0, 0, 0}},
    {{0x06, 0x0e, 0x2b, 0x34, 0x01, 0x01, 0x01, 0x02, 0x08, 0x02, 0x03, 0x00, 0x00, 0x00, 0x00}, 0, {key_classified_by, 16, K_TEXT, F_ZERO, 0, 0, 0, 0, 0, 0, 0, 0.0, 0.0, 1.0, 1.0, 0, 0, 0, 0, 0}},
    {{0x06, 0x0e, 0x2b, 0x34, 0x01, 0x01, 0x01, 0x02, 0x08, 0x02, 0x04, 0x00, 0x00, 0x00, 0x00}, 0, {key_classification_reason, 24, K_TEXT, F_ZERO, 0, 0, 0, 0, 0, 0, 0, 0.0, 0.0, 1.0, 1.0, 0, 0, 0, 0, 0}},
    {{0x06, 0x0e, 0x2b, 0x34, 0x01, 0x01, 0x01, 0x02, 0x08, 0x02, 0x05, 0x00, 0x00, 0x00, 0x00}, 0, {key_declassification_date, 24, K_TEXT, F_ZERO, 0, 0, 0, 0, 0, 0, 0, 0.0, 0.0, 1.0, 1.0, 0, 0, 0, 0, 0}},
    {{0x06, 0x0e, 0x2b, 0x34, 0x01, 0x01, 0x01, 0x02, 0x08, 0x02, 0x06, 0x00, 0x00, 0x00, 0x00}, 0, {key_derived_from, 15, K_TEXT, F_ZERO, 0, 0, 0, 0, 0, 0, 0, 0.0, 0.0, 1.0, 1.0, 0, 0, 0, 0, 0}},
    {{0x06, 0x0e, 0x2b, 0x34, 0x01, 0x01, 0x01, 0x02, 0x08, 0x02, 0x07, 0x00, 0x00, 0x00, 0x00}, 0, {key_classification_comments, 26, K_TEXT, F_ZERO, 0, 0, 0, 0, 0, 0, 0, 0.0, 0.0, 1.0, 1.0, 0, 0, 0, 0, 0}},
    {{0x06, 0x0e, 0x2b, 0x34, 0x01, 0x01, 0x01, 0x02, 0x08, 0x02, 0x08, 0x00, 0x00, 0x00, 0x00}, 0, {key_classification_and_marking_system, 36, K_TEXT, F_ZERO, 0, 0, 0, 0, 0, 0, 0, 0.0, 0.0, 1.0, 1.0, 0, 0, 0, 0, 0}},
    {{0x06, 0x0e, 0x2b, 0x34, 0x01, 0x01, 0x01, 0x04, 0x01, 0x0b, 0x01, 0x00, 0x00, 0x00, 0x00}, 0, {key_digital_video_file_format, 28, K_TEXT, F_ZERO, 0, 0, 0, 0, 0, 127, 0, 0.0, 0.0, 1.0, 1.0, 0, 0, 0, 0, 0}},
    {{0x06, 0x0e, 0x2b, 0x34, 0x01, 0x01, 0x01, 0x04, 0x20, 0x01, 0x02, 0x01, 0x01, 0x00, 0x00}, 11, {key_image_source_sensor, 22, K_TEXT, F_ZERO, 0, 0, 0, 0, 0, 0, 0, 0.0, 0.0, 1.0, 1.0, 0, 0, 0, 0, 0}},
    {{0x06, 0x0e, 0x2b, 0x34, 0x01, 0x01, 0x01, 0x04, 0x20, 0x02, 0x01, 0x01, 0x08, 0x00, 0x00}, 16, {key_sensor_horizontal_field_of_view, 34, K_FLOAT, F_ZERO, 0, 0, 0, 0, 4, 4, 0, 0.0, 0.0, 1.0, 1.0, 0, 0, 0, 0, 0}},
    {{0x06, 0x0e, 0x2b, 0x34, 0x01, 0x01, 0x01, 0x04, 0x20, 0x02, 0x01, 0x01, 0x0a, 0x01, 0x00}, 17, {key_sensor_vertical_field_of_view, 32, K_FLOAT, F_ZERO, 0, 0, 0, 0, 4, 4, 0, 0.0, 0.0, 1.0, 1.0, 0, 0, 0, 0, 0}},
    {{0x06, 0x0e, 0x2b, 0x34, 0x01, 0x01, 0x01, 0x07, 0x01, 0x01, 0x01, 0x00, 0x00, 0x00, 0x00}, 12, {key_image_coordinate_system, 26, K_TEXT, F_ZERO, 0, 0, 0, 0, 0, 0, 0, 0.0, 0.0, 1.0, 1.0, 0, 0, 0, 0, 0}},
    {{0x06, 0x0e, 0x2b, 0x34, 0x01, 0x01, 0x01, 0x07, 0x01, 0x02, 0x01, 0x02, 0x02, 0x00, 0x00}, 15, {key_sensor_true_altitude, 23, K_FLOAT, F_ZERO, 0, 0, 0, 0, 4, 8, 0, 0.0, 0.0, 1.0, 1.0, 0, 0, 0, 0, 0}},
    {{0x06, 0x0e, 0x2b, 0x34, 0x01, 0x01, 0x01, 0x07, 0x01, 0x02, 0x01, 0x02, 0x04, 0x02, 0x00}, 13, {key_sensor_latitude, 18, K_FLOAT, F_ZERO, 0, 0, 0, 0, 8, 8, 0, 0.0, 0.0, 1.0, 1.0, 0, 0, 0, 0, 0}},
    {{0x06, 0x0e, 0x2b, 0x34, 0x01, 0x01, 0x01, 0x07, 0x01, 0x02, 0x01, 0x02, 0x06, 0x02, 0x00}, 14, {key_sensor_longitude, 19, K_FLOAT, F_ZERO, 0, 0, 0, 0, 8, 8, 0, 0.0, 0.0, 1.0, 1.0, 0, 0, 0, 0, 0}},
    {{0x06, 0x0e, 0x2b, 0x34, 0x01, 0x01, 0x01, 0x07, 0x01, 0x02, 0x01, 0x03, 0x02, 0x00, 0x00}, 23, {key_frame_center_latitude, 24, K_FLOAT, F_ZERO, 0, 0, 0, 0, 8, 8, 0, 0.0, 0.0, 1.0, 1.0, 0, 0, 0, 0, 0}},
    {{0x06, 0x0e, 0x2b, 0x34, 0x01, 0x01, 0x01, 0x07, 0x01, 0x02, 0x01, 0x03, 0x04, 0x00, 0x00}, 24, {key_frame_center_longitude, 25, K_FLOAT, F_ZERO, 0, 0, 0, 0, 8, 8, 0, 0.0, 0.0, 1.0, 1.0, 0, 0, 0, 0, 0}},
    {{0x06, 0x0e, 0x2b, 0x34, 0x01, 0x01, 0x01, 0x07, 0x01, 0x02, 0x01, 0x03, 0x07, 0x01, 0x00}, 82, {key_corner_latitude_point_1_full, 31, K_FLOAT, F_ZERO, 0, 0, 0, 0, 8, 8, 0, 0.0, 0.0, 1.0, 1.0, 0, 0, 0, 0, 0}},
    {{0x06, 0x0e, 0x2b, 0x34, 0x01, 0x01, 0x01, 0x07, 0x01, 0x02, 0x01, 0x03, 0x08, 0x01, 0x00}, 84, {key_corner_latitude_point_2_full, 31, K_FLOAT, F_ZERO, 0, 0, 0, 0, 8, 8, 0, 0.0, 0.0, 1.0, 1.0, 0, 0, 0, 0, 0}},
    {{0x06, 0x0e, 0x2b, 0x34, 0x01, 0x01, 0x01, 0x07, 0x01, 0x02, 0x01, 0x03, 0x09, 0x01, 0x00}, 86, {key_corner_latitude_point_3_full, 31, K_FLOAT, F_ZERO, 0, 0, 0, 0, 8, 8, 0, 0.0, 0.0, 1.0, 1.0, 0, 0, 0, 0, 0}},
    {{0x06, 0x0e, 0x2b, 0x34, 0x01, 0x01, 0x01, 0x07, 0x01, 0x02, 0x01, 0x03, 0x0a, 0x01, 0x00}, 88, {key_corner_latitude_point_4_full, 31, K_FLOAT, F_ZERO, 0, 0, 0, 0, 8, 8, 0, 0.0, 0.0, 1.0, 1.0, 0, 0, 0, 0, 0}},
    {{0x06, 0x0e, 0x2b, 0x34, 0x01, 0x01, 0x01, 0x07, 0x01, 0x02, 0x01, 0x03, 0x0b, 0x01, 0x00}, 83, {key_corner_longitude_point_1_full, 32, K_FLOAT, F_ZERO, 0, 0, 0, 0, 8, 8, 0, 0.0, 0.0, 1.0, 1.0, 0, 0, 0, 0, 0}},
    {{0x06, 0x0e, 0x2b, 0x34, 0x01, 0x01, 0x01, 0x07, 0x01, 0x02, 0x01, 0x03, 0x0c, 0x01, 0x00}, 85, {key_corner_longitude_point_2_full, 32, K_FLOAT, F_ZERO, 0, 0, 0, 0, 8, 8, 0, 0.0, 0.0, 1.0, 1.0, 0, 0, 0, 0, 0}},
    {{0x06, 0x0e, 0x2b, 0x34, 0x01, 0x01, 0x01, 0x07, 0x01, 0x02, 0x01, 0x03, 0x0d, 0x01, 0x00}, 87, {key_corner_longitude_point_3_full, 32, K_FLOAT, F_ZERO, 0, 0, 0, 0, 8, 8, 0, 0.0, 0.0, 1.0, 1.0, 0, 0, 0, 0, 0}},
    {{0x06, 0x0e, 0x2b, 0x34, 0x01, 0x01, 0x01, 0x07, 0x01, 0x02, 0x01, 0x03, 0x0e, 0x01, 0x00}, 89, {key_corner_longitude_point_4_full, 32, K_FLOAT, F_ZERO, 0, 0, 0, 0, 8, 8, 0, 0.0, 0.0, 1.0, 1.0, 0, 0, 0, 0, 0}},
    {{0x06, 0x0e, 0x2b, 0x34, 0x01, 0x01, 0x01, 0x07, 0x01, 0x02, 0x01, 0x03, 0x16, 0x00, 0x00}, 25, {key_frame_center_elevation, 25, K_FLOAT, F_ZERO, 0, 0, 0, 0, 4, 8, 0, 0.0, 0.0, 1.0, 1.0, 0, 0, 0, 0, 0}},
    {{0x06, 0x0e, 0x2b, 0x34, 0x01, 0x01, 0x01, 0x07, 0x01, 0x08, 0x01, 0x01, 0x00, 0x00, 0x00}, 21, {key_slant_range, 14, K_FLOAT, F_ZERO, 0, 0, 0, 0, 4, 8, 0, 0.0, 0.0, 1.0, 1.0, 0, 0, 0, 0, 0}},
    {{0x06, 0x0e, 0x2b, 0x34, 0x01, 0x01, 0x01, 0x07, 0x01, 0x09, 0x02, 0x01, 0x00, 0x00, 0x00}, 22, {key_target_width, 15, K_FLOAT, F_ZERO, 0, 0, 0, 0, 4, 8, 0, 0.0, 0.0, 1.0, 1.0, 0, 0, 0, 0, 0}},
    {{0x06, 0x0e, 0x2b, 0x34, 0x01, 0x01, 0x01, 0x07, 0x01, 0x10, 0x01, 0x01, 0x00, 0x00, 0x00}, 0, {key_sensor_roll_angle, 20, K_FLOAT, F_ZERO, 0, 0, 0, 0, 4, 4, 0, 0.0, 0.0, 1.0, 1.0, 0, 0, 0, 0, 0}},
    {{0x06, 0x0e, 0x2b, 0x34, 0x01, 0x01, 0x01, 0x07, 0x01, 0x10, 0x01, 0x02, 0x00, 0x00, 0x00}, 0, {key_angle_to_north, 17, K_FLOAT, F_ZERO, 0, 0, 0, 0, 4, 4, 0, 0.0, 0.0, 1.0, 1.0, 0, 0, 0, 0, 0}},
    {{0x06, 0x0e, 0x2b, 0x34, 0x01, 0x01, 0x01, 0x07, 0x01, 0x10, 0x01, 0x03, 0x00, 0x00, 0x00}, 0, {key_obliquity_angle, 18, K_FLOAT, F_ZERO, 0, 0, 0, 0, 4, 4, 0, 0.0, 0.0, 1.0, 1.0, 0, 0, 0, 0, 0}},
    {{0x06, 0x0e, 0x2b, 0x34, 0x01, 0x01, 0x01, 0x07, 0x01, 0x10, 0x01, 0x04, 0x00, 0x00, 0x00}, 7, {key_platform_roll_angle, 22, K_FLOAT, F_ZERO, 0, 0, 0, 0, 4, 4, 0, 0.0, 0.0, 1.0, 1.0, 0, 0, 0, 0, 0}},
    {{0x06, 0x0e, 0x2b, 0x34, 0x01, 0x01, 0x01, 0x07, 0x01, 0x10, 0x01, 0x05, 0x00, 0x00, 0x00}, 6, {key_platform_pitch_angle, 23, K_FLOAT, F_ZERO, 0, 0, 0, 0, 4, 4, 0, 0.0, 0.0, 1.0, 1.0, 0, 0, 0, 0, 0}},
    {{0x06, 0x0e, 0x2b, 0x34, 0x01, 0x01, 0x01, 0x07, 0x01, 0x10, 0x01, 0x06, 0x00, 0x00, 0x00}, 5, {key_platform_heading_angle, 25, K_FLOAT, F_ZERO, 0, 0, 0, 0, 4, 4, 0, 0.0, 0.0, 1.0, 1.0, 0, 0, 0, 0, 0}},
    {{0x06, 0x0e, 0x2b, 0x34, 0x01, 0x01, 0x01, 0x07, 0x01, 0x20, 0x01, 0x02, 0x01, 0x01, 0x00}, 0, {key_object_country_codes, 23, K_TEXT, F_ZERO, 0, 0, 0, 0, 0, 0, 0, 0.0, 0.0, 1.0, 1.0, 0, 0, 0, 0, 0}},
    {{0x06, 0x0e, 0x2b, 0x34, 0x01, 0x01, 0x01, 0x07, 0x01, 0x20, 0x01, 0x02, 0x06, 0x00, 0x00}, 0, {key_object_country_coding_method, 31, K_TEXT, F_ZERO, 0, 0, 0, 0, 0, 0, 0, 0.0, 0.0, 1.0, 1.0, 0, 0, 0, 0, 0}},
    {{0x06, 0x0e, 0x2b, 0x34, 0x01, 0x01, 0x01, 0x07, 0x01, 0x20, 0x01, 0x02, 0x07, 0x00, 0x00}, 0, {key_country_coding_method, 24, K_TEXT, F_ZERO, 0, 0, 0, 0, 0, 0, 0, 0.0, 0.0, 1.0, 1.0, 0, 0, 0, 0, 0}},
    {{0x06, 0x0e, 0x2b, 0x34, 0x01, 0x01, 0x01, 0x07, 0x01, 0x20, 0x01, 0x02, 0x08, 0x00, 0x00}, 0, {key_classifying_country, 22, K_TEXT, F_ZERO, 0, 0, 0, 0, 0, 0, 0, 0.0, 0.0, 1.0, 1.0, 0, 0, 0, 0, 0}},
    {{0x06, 0x0e, 0x2b, 0x34, 0x01, 0x01, 0x01, 0x07, 0x01, 0x20, 0x01, 0x02, 0x09, 0x00, 0x00}, 0, {key_releasing_instructions, 25, K_TEXT, F_ZERO, 0, 0, 0, 0, 0, 0, 0, 0.0, 0.0, 1.0, 1.0, 0, 0, 0, 0, 0}},
    {{0x06, 0x0e, 0x2b, 0x34, 0x01, 0x01, 0x01, 0x07, 0x02, 0x01, 0x01, 0x01, 0x05, 0x00, 0x00}, 2, {key_precision_time_stamp, 23, K_UINT, F_ZERO | F_TIME, 0, 0, 0, 0, 8, 8, 0, 0.0, 0.0, 1.0, 1.0, 0, 0, 0, 0, 0}},
    {{0x06, 0x0e, 0x2b, 0x34, 0x01, 0x01, 0x01, 0x07, 0x02, 0x01, 0x02, 0x01, 0x01, 0x00, 0x00}, 0, {key_start_date_time_utc, 22, K_TEXT, F_ZERO, 0, 0, 0, 0, 0, 0, 0, 0.0, 0.0, 1.0, 1.0, 0, 0, 0, 0, 0}},
    {{0x06, 0x0e, 0x2b, 0x34, 0x01, 0x01, 0x01, 0x07, 0x02, 0x01, 0x02, 0x07, 0x01, 0x00, 0x00}, 72, {key_event_start_time, 19, K_DATE_TIME, F_ZERO, 0, 0, 0, 0, 0, 0, 0, 0.0, 0.0, 1.0, 1.0, 0, 0, 0, 0, 0}},
    {{0x06, 0x0e, 0x2b, 0x34, 0x01, 0x01, 0x01, 0x0e, 0x01, 0x01, 0x01, 0x0a, 0x01, 0x00, 0x00}, 0, {key_platform_true_airspeed, 25, K_UINT, F_ZERO, 0, 0, 0, 0, 2, 2, 0, 0.0, 65535.0, 1.0, 1.0, 0, 0, 0, 0, 0}},
    {{0x06, 0x0e, 0x2b, 0x34, 0x01, 0x01, 0x01, 0x0e, 0x01, 0x01, 0x01, 0x0b, 0x01, 0x00, 0x00}, 0, {key_platform_indicated_airspeed, 30, K_UINT, F_ZERO, 0, 0, 0, 0, 2, 2, 0, 0.0, 65535.0, 1.0, 1.0, 0, 0, 0, 0, 0}},
    {{0x06, 0x0e, 0x2b, 0x34, 0x01, 0x01, 0x01, 0x0e, 0x01, 0x01, 0x01, 0x10, 0x00, 0x00, 0x00}, 103, {key_density_altitude_extended, 28, K_IMAPB, F_ZERO, 0, 0, 16, 0, 1, 8, 0, -900.0, 40000.0, 1.0, 1.0, 0, 0, 0, 0, 0}},
    {{0x06, 0x0e, 0x2b, 0x34, 0x01, 0x01, 0x01, 0x0e, 0x01, 0x01, 0x01, 0x19, 0x00, 0x00, 0x00}, 0, {key_video_data_rate, 18, K_UINT, F_ZERO, 0, 0, 0, 0, 4, 4, 0, 0.0, 4294967295.0, 1.0, 1.0, 0, 0, 0, 0, 0}},
    {{0x06, 0x0e, 0x2b, 0x34, 0x01, 0x01, 0x01, 0x0e, 0x01, 0x01, 0x03, 0x09, 0x00, 0x00, 0x00}, 0, {key_frame_code, 13, K_UINT, F_ZERO, 0, 0, 0, 0, 4, 4, 0, 0.0, 4294967295.0, 1.0, 1.0, 0, 0, 0, 0, 0}},
    {{0x06, 0x0e, 0x2b, 0x34, 0x01, 0x01, 0x01, 0x0e, 0x01, 0x01, 0x03, 0x0a, 0x00, 0x00, 0x00}, 0, {key_mgrs_zone, 12, K_UINT, F_ZERO, 0, 0, 0, 0, 1, 1, 0, 1.0, 60.0, 1.0, 1.0, 0, 0, 0, 0, 0}},
    {{0x06, 0x0e, 0x2b, 0x34, 0x01, 0x01, 0x01, 0x0e, 0x01, 0x01, 0x03, 0x0a, 0x01, 0x00, 0x00}, 0, {key_frame_center_mgrs_zone, 25, K_UINT, F_ZERO, 0, 0, 0, 0, 1, 1, 0, 1.0, 60.0, 1.0, 1.0, 0, 0, 0, 0, 0}},
    {{0x06, 0x0e, 0x2b, 0x34, 0x01, 0x01, 0x01, 0x0e, 0x01, 0x01, 0x03, 0x0b, 0x00, 0x00, 0x00}, 0, {key_mgrs_latitude_band_and_grid_square, 37, K_TEXT, F_ZERO, 0, 0, 0, 0, 3, 3, 0, 0.0, 0.0, 1.0, 1.0, 0, 0, 0, 0, 0}},
    {{0x06, 0x0e, 0x2b, 0x34, 0x01, 0x01, 0x01, 0x0e, 0x01, 0x01, 0x03, 0x0b, 0x01, 0x00, 0x00}, 0, {key_frame_center_mgrs_latitude_band_and_grid_square, 50, K_TEXT, F_ZERO, 0, 0, 0, 0, 3, 3, 0, 0.0, 0.0, 1.0, 1.0, 0, 0, 0, 0, 0}},
    {{0x06, 0x0e, 0x2b, 0x34, 0x01, 0x01, 0x01, 0x0e, 0x01, 0x01, 0x03, 0x0c, 0x00, 0x00, 0x00}, 0, {key_mgrs_easting, 15, K_UINT, F_ZERO, 0, 0, 0, 0, 3, 3, 0, 0.0, 99999.0, 1.0, 1.0, 0, 0, 0, 0, 0}},
    {{0x06, 0x0e, 0x2b, 0x34, 0x01, 0x01, 0x01, 0x0e, 0x01, 0x01, 0x03, 0x0c, 0x01, 0x00, 0x00}, 0, {key_frame_center_mgrs_easting, 28, K_UINT, F_ZERO, 0, 0, 0, 0, 3, 3, 0, 0.0, 99999.0, 1.0, 1.0, 0, 0, 0, 0, 0}},
    {{0x06, 0x0e, 0x2b, 0x34, 0x01, 0x01, 0x01, 0x0e, 0x01, 0x01, 0x03, 0x0d, 0x00, 0x00, 0x00}, 0, {key_mgrs_northing, 16, K_UINT, F_ZERO, 0, 0, 0, 0, 3, 3, 0, 0.0, 99999.0, 1.0, 1.0, 0, 0, 0, 0, 0}},
    {{0x06, 0x0e, 0x2b, 0x34, 0x01, 0x01, 0x01, 0x0e, 0x01, 0x01, 0x03, 0x0d, 0x01, 0x00, 0x00}, 0, {key_frame_center_mgrs_northing, 29, K_UINT, F_ZERO, 0, 0, 0, 0, 3, 3, 0, 0.0, 99999.0, 1.0, 1.0, 0, 0, 0, 0, 0}},
    {{0x06, 0x0e, 0x2b, 0x34, 0x01, 0x01, 0x01, 0x0e, 0x01, 0x01, 0x03, 0x14, 0x00, 0x00, 0x00}, 0, {key_telemetry_accuracy_indicator, 31, K_UINT, F_ZERO, 0, 0, 0, 0, 1, 1, 0, 0.0, 255.0, 1.0, 1.0, 0, 0, 0, 0, 0}},
    {{0x06, 0x0e, 0x2b, 0x34, 0x01, 0x01, 0x01, 0x0e, 0x01, 0x01, 0x03, 0x15, 0x00, 0x00, 0x00}, 0, {key_frag_circle_radius, 21, K_UINT, F_ZERO, 0, 0, 0, 0, 2, 2, 0, 0.0, 65535.0, 1.0, 1.0, 0, 0, 0, 0, 0}},
    {{0x06, 0x0e, 0x2b, 0x34, 0x01, 0x01, 0x01, 0x0e, 0x01, 0x01, 0x03, 0x16, 0x00, 0x00, 0x00}, 0, {key_number, 9, K_UINT, F_ZERO, 0, 0, 0, 0, 2, 2, 0, 0.0, 65535.0, 1.0, 1.0, 0, 0, 0, 0, 0}},
    {{0x06, 0x0e, 0x2b, 0x34, 0x01, 0x01, 0x01, 0x0e, 0x01, 0x01, 0x03, 0x17, 0x00, 0x00, 0x00}, 0, {key_poi_latitude, 15, K_LINEAR_INT, F_ZERO, 8, 0, 0, 0, 4, 4, 0, -90.0, 90.0, 4.190951587721217e-08, 4.190951587721218, "\"error\"", 0, 0, 0, 0}},
    {{0x06, 0x0e, 0x2b, 0x34, 0x01, 0x01, 0x01, 0x0e, 0x01, 0x01, 0x03, 0x18, 0x00, 0x00, 0x00}, 0, {key_poi_longitude, 16, K_LINEAR_INT, F_ZERO, 8, 0, 0, 0, 4, 4, 0, -180.0, 180.0, 8.381903175442434e-08, 8.381903175442435, "\"error\"", 0, 0, 0, 0}},
    {{0x06, 0x0e, 0x2b, 0x34, 0x01, 0x01, 0x01, 0x0e, 0x01, 0x01, 0x03, 0x19, 0x00, 0x00, 0x00}, 0, {key_poi_altitude, 15, K_LINEAR_UINT, F_ZERO, 1, 0, 0, 0, 2, 2, 0, -900.0, 19000.0, 0.30365453574425877, 3.036545357442588, 0, 0, 0, 0, 0}},
    {{0x06, 0x0e, 0x2b, 0x34, 0x01, 0x01, 0x01, 0x0e, 0x01, 0x01, 0x03, 0x1a, 0x00, 0x00, 0x00}, 0, {key_type, 7, K_ENUM, F_ZERO, 0, 0, 0, 0, 1, 1, 4, 1.0, 4.0, 1.0, 1.0, 0, codes_rvtaoi_6_type, 0, 0, 0}},
    {{0x06, 0x0e, 0x2b, 0x34, 0x01, 0x01, 0x01, 0x0e, 0x01, 0x01, 0x03, 0x1b, 0x00, 0x00, 0x00}, 0, {key_text, 7, K_TEXT, F_ZERO, 0, 0, 0, 0, 0, 2048, 0, 0.0, 0.0, 1.0, 1.0, 0, 0, 0, 0, 0}},
    {{0x06, 0x0e, 0x2b, 0x34, 0x01, 0x01, 0x01, 0x0e, 0x01, 0x01, 0x03, 0x1c, 0x00, 0x00, 0x00}, 0, {key_poi_source_icon, 18, K_TEXT, F_ZERO, 0, 0, 0, 0, 0, 127, 0, 0.0, 0.0, 1.0, 1.0, 0, 0, 0, 0, 0}},
    {{0x06, 0x0e, 0x2b, 0x34, 0x01, 0x01, 0x01, 0x0e, 0x01, 0x01, 0x03, 0x1d, 0x00, 0x00, 0x00}, 0, {key_source_id, 12, K_TEXT, F_ZERO, 0, 0, 0, 0, 0, 255, 0, 0.0, 0.0, 1.0, 1.0, 0, 0, 0, 0, 0}},
    {{0x06, 0x0e, 0x2b, 0x34, 0x01, 0x01, 0x01, 0x0e, 0x01, 0x01, 0x03, 0x1e, 0x00, 0x00, 0x00}, 0, {key_label, 8, K_TEXT, F_ZERO, 0, 0, 0, 0, 0, 16, 0, 0.0, 0.0, 1.0, 1.0, 0, 0, 0, 0, 0}},
    {{0x06, 0x0e, 0x2b, 0x34, 0x01, 0x01, 0x01, 0x0e, 0x01, 0x01, 0x03, 0x3d, 0x00, 0x00, 0x00}, 0, {key_grazing_angle, 16, K_IMAPB, F_ZERO, 0, 0, 7, 0, 2, 2, 0, 0.0, 90.0, 1.0, 1.0, 0, 0, 0, 0, 0}},
    {{0x06, 0x0e, 0x2b, 0x34, 0x01, 0x01, 0x01, 0x0e, 0x01, 0x01, 0x03, 0x3d, 0x01, 0x00, 0x00}, 0, {key_ground_plane_squint_angle, 28, K_IMAPB, F_ZERO, 0, 0, 8, 0, 2, 2, 0, -90.0, 90.0, 1.0, 1.0, 0, 0, 0, 0, 0}},
    {{0x06, 0x0e, 0x2b, 0x34, 0x01, 0x01, 0x01, 0x0e, 0x01, 0x01, 0x03, 0x3d, 0x02, 0x00, 0x00}, 0, {key_look_direction, 17, K_ENUM, F_ZERO, 0, 0, 0, 0, 1, 1, 2, 0.0, 1.0, 1.0, 1.0, 0, codes_st1206_3_look_direction, 0, 0, 0}},
    {{0x06, 0x0e, 0x2b, 0x34, 0x01, 0x01, 0x01, 0x0e, 0x01, 0x01, 0x03, 0x3d, 0x03, 0x00, 0x00}, 0, {key_image_plane, 14, K_ENUM, F_ZERO, 0, 0, 0, 0, 1, 1, 3, 0.0, 2.0, 1.0, 1.0, 0, codes_st1206_4_image_plane, 0, 0, 0}},
    {{0x06, 0x0e, 0x2b, 0x34, 0x01, 0x01, 0x01, 0x0e, 0x01, 0x01, 0x03, 0x3d, 0x04, 0x00, 0x00}, 0, {key_range_resolution, 19, K_IMAPB, F_ZERO, 0, 0, 20, 0, 4, 4, 0, 0.0, 1000000.0, 1.0, 1.0, 0, 0, 0, 0, 0}},
    {{0x06, 0x0e, 0x2b, 0x34, 0x01, 0x01, 0x01, 0x0e, 0x01, 0x01, 0x03, 0x3d, 0x05, 0x00, 0x00}, 0, {key_cross_range_resolution, 25, K_IMAPB, F_ZERO, 0, 0, 20, 0, 4, 4, 0, 0.0, 1000000.0, 1.0, 1.0, 0, 0, 0, 0, 0}},
    {{0x06, 0x0e, 0x2b, 0x34, 0x01, 0x01, 0x01, 0x0e, 0x01, 0x01, 0x03, 0x3d, 0x06, 0x00, 0x00}, 0, {key_range_image_plane_pixel_size, 31, K_IMAPB, F_ZERO, 0, 0, 20, 0, 4, 4, 0, 0.0, 1000000.0, 1.0, 1.0, 0, 0, 0, 0, 0}},
    {{0x06, 0x0e, 0x2b, 0x34, 0x01, 0x01, 0x01, 0x0e, 0x01, 0x01, 0x03, 0x3d, 0x07, 0x00, 0x00}, 0, {key_cross_range_image_plane_pixel_size, 37, K_IMAPB, F_ZERO, 0, 0, 20, 0, 4, 4, 0, 0.0, 1000000.0, 1.0, 1.0, 0, 0, 0, 0, 0}},
    {{0x06, 0x0e, 0x2b, 0x34, 0x01, 0x01, 0x01, 0x0e, 0x01, 0x01, 0x03, 0x3d, 0x08, 0x00, 0x00}, 0, {key_range_direction_angle, 24, K_IMAPB, F_ZERO, 0, 0, 9, 0, 2, 2, 0, 0.0, 360.0, 1.0, 1.0, 0, 0, 0, 0, 0}},
    {{0x06, 0x0e, 0x2b, 0x34, 0x01, 0x01, 0x01, 0x0e, 0x01, 0x01, 0x03, 0x3d, 0x09, 0x00, 0x00}, 0, {key_true_north_direction, 23, K_IMAPB, F_ZERO, 0, 0, 9, 0, 2, 2, 0, 0.0, 360.0, 1.0, 1.0, 0, 0, 0, 0, 0}},
    {{0x06, 0x0e, 0x2b, 0x34, 0x01, 0x01, 0x01, 0x0e, 0x01, 0x01, 0x03, 0x3d, 0x0a, 0x00, 0x00}, 0, {key_range_layover_angle, 22, K_IMAPB, F_ZERO, 0, 0, 9, 0, 2, 2, 0, 0.0, 360.0, 1.0, 1.0, 0, 0, 0, 0, 0}},
    {{0x06, 0x0e, 0x2b, 0x34, 0x01, 0x01, 0x01, 0x0e, 0x01, 0x01, 0x03, 0x3d, 0x0b, 0x00, 0x00}, 0, {key_ground_aperture_angular_extent, 33, K_IMAPB, F_ZERO, 0, 0, 7, 0, 2, 2, 0, 0.0, 90.0, 1.0, 1.0, 0, 0, 0, 0, 0}},
    {{0x06, 0x0e, 0x2b, 0x34, 0x01, 0x01, 0x01, 0x0e, 0x01, 0x01, 0x03, 0x3d, 0x0c, 0x00, 0x00}, 0, {key_aperture_duration, 20, K_UINT, F_ZERO, 0, 0, 0, 0, 4, 4, 0, 0.0, 4294967295.0, 1.0, 1.0, 0, 0, 0, 0, 0}},
    {{0x06, 0x0e, 0x2b, 0x34, 0x01, 0x01, 0x01, 0x0e, 0x01, 0x01, 0x03, 0x3d, 0x0d, 0x00, 0x00}, 0, {key_ground_track_angle, 21, K_IMAPB, F_ZERO, 0, 0, 9, 0, 2, 2, 0, 0.0, 360.0, 1.0, 1.0, 0, 0, 0, 0, 0}},
    {{0x06, 0x0e, 0x2b, 0x34, 0x01, 0x01, 0x01, 0x0e, 0x01, 0x01, 0x03, 0x3d, 0x0e, 0x00, 0x00}, 0, {key_minimum_detectable_velocity, 30, K_IMAPB, F_ZERO, 0, 0, 7, 0, 2, 2, 0, 0.0, 100.0, 1.0, 1.0, 0, 0, 0, 0, 0}},
    {{0x06, 0x0e, 0x2b, 0x34, 0x01, 0x01, 0x01, 0x0e, 0x01, 0x01, 0x03, 0x3d, 0x0f, 0x00, 0x00}, 0, {key_true_pulse_repetition_frequency, 34, K_IMAPB, F_ZERO, 0, 0, 20, 0, 4, 4, 0, 0.0, 1000000.0, 1.0, 1.0, 0, 0, 0, 0, 0}},
    {{0x06, 0x0e, 0x2b, 0x34, 0x01, 0x01, 0x01, 0x0e, 0x01, 0x01, 0x03, 0x3d, 0x10, 0x00, 0x00}, 0, {key_pulse_repetition_frequency_scale_factor, 42, K_IMAPB, F_ZERO, 0, 0, 0, 0, 2, 2, 0, 0.0, 1.0, 1.0, 1.0, 0, 0, 0, 0, 0}},
    {{0x06, 0x0e, 0x2b, 0x34, 0x01, 0x01, 0x01, 0x0e, 0x01, 0x01, 0x03, 0x3d, 0x11, 0x00, 0x00}, 0, {key_transmit_rf_center_frequency, 31, K_IMAPB, F_ZERO, 0, 0, 40, 0, 4, 4, 0, 0.0, 1000000000000.0, 1.0, 1.0, 0, 0, 0, 0, 0}},
    {{0x06, 0x0e, 0x2b, 0x34, 0x01, 0x01, 0x01, 0x0e, 0x01, 0x01, 0x03, 0x3d, 0x12, 0x00, 0x00}, 0, {key_transmit_rf_bandwidth, 24, K_IMAPB, F_ZERO, 0, 0, 37, 0, 4, 4, 0, 0.0, 100000000000.0, 1.0, 1.0, 0, 0, 0, 0, 0}},
    {{0x06, 0x0e, 0x2b, 0x34, 0x01, 0x01, 0x01, 0x0e, 0x01, 0x01, 0x03, 0x3d, 0x14, 0x00, 0x00}, 0, {key_reference_frame_precision_time_stamp, 39, K_UINT, F_ZERO, 0, 0, 0, 0, 8, 8, 0, 0.0, 1.8446744073709552e+19, 1.0, 1.0, 0, 0, 0, 0, 0}},
    {{0x06, 0x0e, 0x2b, 0x34, 0x01, 0x01, 0x01, 0x0e, 0x01, 0x01, 0x03, 0x3d, 0x15, 0x00, 0x00}, 0, {key_reference_frame_grazing_angle, 32, K_IMAPB, F_ZERO, 0, 0, 7, 0, 2, 2, 0, 0.0, 90.0, 1.0, 1.0, 0, 0, 0, 0, 0}},
    {{0x06, 0x0e, 0x2b, 0x34, 0x01, 0x01, 0x01, 0x0e, 0x01, 0x01, 0x03, 0x3d, 0x16, 0x00, 0x00}, 0, {key_reference_frame_ground_plane_squint_angle, 44, K_IMAPB, F_ZERO, 0, 0, 8, 0, 2, 2, 0, -90.0, 90.0, 1.0, 1.0, 0, 0, 0, 0, 0}},
    {{0x06, 0x0e, 0x2b, 0x34, 0x01, 0x01, 0x01, 0x0e, 0x01, 0x01, 0x03, 0x3d, 0x17, 0x00, 0x00}, 0, {key_reference_frame_range_direction_angle, 40, K_IMAPB, F_ZERO, 0, 0, 9, 0, 2, 2, 0, 0.0, 360.0, 1.0, 1.0, 0, 0, 0, 0, 0}},
    {{0x06, 0x0e, 0x2b, 0x34, 0x01, 0x01, 0x01, 0x0e, 0x01, 0x01, 0x03, 0x3d, 0x18, 0x00, 0x00}, 0, {key_reference_frame_range_layover_angle, 38, K_IMAPB, F_ZERO, 0, 0, 9, 0, 2, 2, 0, 0.0, 360.0, 1.0, 1.0, 0, 0, 0, 0, 0}},
    {{0x06, 0x0e, 0x2b, 0x34, 0x01, 0x01, 0x01, 0x0e, 0x01, 0x01, 0x03, 0x3e, 0x00, 0x00, 0x00}, 0, {key_number_of_sections_in_x, 26, K_UINT, F_ZERO | F_OID, 0, 0, 0, 0, 1, 0, 0, 0.0, 0.0, 1.0, 1.0, 0, 0, 0, 0, 0}},
    {{0x06, 0x0e, 0x2b, 0x34, 0x01, 0x01, 0x01, 0x0e, 0x01, 0x01, 0x03, 0x3e, 0x01, 0x00, 0x00}, 0, {key_number_of_sections_in_y, 26, K_UINT, F_ZERO | F_OID, 0, 0, 0, 0, 1, 0, 0, 0.0, 0.0, 1.0, 1.0, 0, 0, 0, 0, 0}},
    {{0x06, 0x0e, 0x2b, 0x34, 0x01, 0x01, 0x01, 0x0e, 0x01, 0x01, 0x03, 0x3e, 0x04, 0x00, 0x00}, 0, {key_sprm, 7, K_FLOAT, F_ZERO, 0, 0, 0, 0, 4, 8, 0, 0.0, 0.0, 1.0, 1.0, 0, 0, 0, 0, 0}},
    {{0x06, 0x0e, 0x2b, 0x34, 0x01, 0x01, 0x01, 0x0e, 0x01, 0x01, 0x03, 0x3e, 0x05, 0x00, 0x00}, 0, {key_sprm_uncertainty, 19, K_FLOAT, F_ZERO, 0, 0, 0, 0, 4, 8, 0, 0.0, 0.0, 1.0, 1.0, 0, 0, 0, 0, 0}},
    {{0x06, 0x0e, 0x2b, 0x34, 0x01, 0x01, 0x01, 0x0e, 0x01, 0x01, 0x03, 0x40, 0x00, 0x00, 0x00}, 0, {key_source_image_rows, 20, K_UINT, F_ZERO, 0, 0, 0, 0, 1, 4, 0, 0.0, 0.0, 1.0, 1.0, 0, 0, 0, 0, 0}},
    {{0x06, 0x0e, 0x2b, 0x34, 0x01, 0x01, 0x01, 0x0e, 0x01, 0x01, 0x03, 0x40, 0x10, 0x00, 0x00}, 0, {key_source_image_columns, 23, K_UINT, F_ZERO, 0, 0, 0, 0, 1, 4, 0, 0.0, 0.0, 1.0, 1.0, 0, 0, 0, 0, 0}},
    {{0x06, 0x0e, 0x2b, 0x34, 0x01, 0x01, 0x01, 0x0e, 0x01, 0x01, 0x03, 0x40, 0x20, 0x00, 0x00}, 0, {key_sub_image_rows, 17, K_UINT, F_ZERO, 0, 0, 0, 0, 1, 4, 0, 0.0, 0.0, 1.0, 1.0, 0, 0, 0, 0, 0}},
    {{0x06, 0x0e, 0x2b, 0x34, 0x01, 0x01, 0x01, 0x0e, 0x01, 0x01, 0x03, 0x40, 0x30, 0x00, 0x00}, 0, {key_sub_image_columns, 20, K_UINT, F_ZERO, 0, 0, 0, 0, 1, 4, 0, 0.0, 0.0, 1.0, 1.0, 0, 0, 0, 0, 0}},
    {{0x06, 0x0e, 0x2b, 0x34, 0x01, 0x01, 0x01, 0x0e, 0x01, 0x01, 0x03, 0x40, 0x40, 0x00, 0x00}, 0, {key_sub_image_position_x, 23, K_INT, F_ZERO, 0, 0, 0, 0, 1, 4, 0, 0.0, 0.0, 1.0, 1.0, 0, 0, 0, 0, 0}},
    {{0x06, 0x0e, 0x2b, 0x34, 0x01, 0x01, 0x01, 0x0e, 0x01, 0x01, 0x03, 0x40, 0x50, 0x00, 0x00}, 0, {key_sub_image_position_y, 23, K_INT, F_ZERO, 0, 0, 0, 0, 1, 4, 0, 0.0, 0.0, 1.0, 1.0, 0, 0, 0, 0, 0}},
    {{0x06, 0x0e, 0x2b, 0x34, 0x01, 0x01, 0x01, 0x0e, 0x01, 0x01, 0x03, 0x40, 0x60, 0x00, 0x00}, 0, {key_active_sub_image_rows, 24, K_UINT, F_ZERO, 0, 0, 0, 0, 1, 4, 0, 0.0, 0.0, 1.0, 1.0, 0, 0, 0, 0, 0}},
    {{0x06, 0x0e, 0x2b, 0x34, 0x01, 0x01, 0x01, 0x0e, 0x01, 0x01, 0x03, 0x40, 0x70, 0x00, 0x00}, 0, {key_active_sub_image_columns, 27, K_UINT, F_ZERO, 0, 0, 0, 0, 1, 4, 0, 0.0, 0.0, 1.0, 1.0, 0, 0, 0, 0, 0}},
    {{0x06, 0x0e, 0x2b, 0x34, 0x01, 0x01, 0x01, 0x0e, 0x01, 0x01, 0x03, 0x40, 0x80, 0x00, 0x00}, 0, {key_active_sub_image_offset_x, 28, K_INT, F_ZERO, 0, 0, 0, 0, 1, 4, 0, 0.0, 0.0, 1.0, 1.0, 0, 0, 0, 0, 0}},
    {{0x06, 0x0e, 0x2b, 0x34, 0x01, 0x01, 0x01, 0x0e, 0x01, 0x01, 0x03, 0x40, 0x90, 0x00, 0x00}, 0, {key_active_sub_image_offset_y, 28, K_INT, F_ZERO, 0, 0, 0, 0, 1, 4, 0, 0.0, 0.0, 1.0, 1.0, 0, 0, 0, 0, 0}},
    {{0x06, 0x0e, 0x2b, 0x34, 0x01, 0x01, 0x01, 0x0e, 0x01, 0x01, 0x03, 0x40, 0xa0, 0x00, 0x00}, 0, {key_source_image_aoi_rows, 24, K_UINT, F_ZERO, 0, 0, 0, 0, 1, 4, 0, 0.0, 0.0, 1.0, 1.0, 0, 0, 0, 0, 0}},
    {{0x06, 0x0e, 0x2b, 0x34, 0x01, 0x01, 0x01, 0x0e, 0x01, 0x01, 0x03, 0x40, 0xb0, 0x00, 0x00}, 0, {key_transparency, 15, K_UINT, F_ZERO, 0, 0, 0, 0, 1, 1, 0, 0.0, 255.0, 1.0, 1.0, 0, 0, 0, 0, 0}},
    {{0x06, 0x0e, 0x2b, 0x34, 0x01, 0x01, 0x01, 0x0e, 0x01, 0x01, 0x03, 0x40, 0xc0, 0x00, 0x00}, 0, {key_source_image_aoi_columns, 27, K_UINT, F_ZERO, 0, 0, 0, 0, 1, 4, 0, 0.0, 0.0, 1.0, 1.0, 0, 0, 0, 0, 0}},
    {{0x06, 0x0e, 0x2b, 0x34, 0x01, 0x01, 0x01, 0x0e, 0x01, 0x01, 0x03, 0x40, 0xd0, 0x00, 0x00}, 0, {key_source_image_aoi_position_x, 30, K_INT, F_ZERO, 0, 0, 0, 0, 1, 4, 0, 0.0, 0.0, 1.0, 1.0, 0, 0, 0, 0, 0}},
    {{0x06, 0x0e, 0x2b, 0x34, 0x01, 0x01, 0x01, 0x0e, 0x01, 0x01, 0x03, 0x40, 0xe0, 0x00, 0x00}, 0, {key_source_image_aoi_position_y, 30, K_INT, F_ZERO, 0, 0, 0, 0, 1, 4, 0, 0.0, 0.0, 1.0, 1.0, 0, 0, 0, 0, 0}},
    {{0x06, 0x0e, 0x2b, 0x34, 0x01, 0x01, 0x01, 0x0e, 0x01, 0x02, 0x01, 0x82, 0x47, 0x00, 0x00}, 104, {key_sensor_ellipsoid_height_extended, 35, K_IMAPB, F_ZERO, 0, 0, 16, 0, 1, 8, 0, -900.0, 40000.0, 1.0, 1.0, 0, 0, 0, 0, 0}},
    {{0x06, 0x0e, 0x2b, 0x34, 0x01, 0x01, 0x01, 0x0e, 0x01, 0x02, 0x01, 0x82, 0x48, 0x00, 0x00}, 105, {key_alternate_platform_ellipsoid_height_extended, 47, K_IMAPB, F_ZERO, 0, 0, 16, 0, 1, 8, 0, -900.0, 40000.0, 1.0, 1.0, 0, 0, 0, 0, 0}},
    {{0x06, 0x0e, 0x2b, 0x34, 0x01, 0x01, 0x01, 0x0e, 0x01, 0x02, 0x02, 0x06, 0x00, 0x00, 0x00}, 0, {key_image_rows, 13, K_UINT, F_ZERO, 0, 0, 0, 0, 2, 2, 0, 0.0, 65535.0, 1.0, 1.0, 0, 0, 0, 0, 0}},
    {{0x06, 0x0e, 0x2b, 0x34, 0x01, 0x01, 0x01, 0x0e, 0x01, 0x02, 0x02, 0x07, 0x00, 0x00, 0x00}, 0, {key_image_columns, 16, K_UINT, F_ZERO, 0, 0, 0, 0, 2, 2, 0, 0.0, 65535.0, 1.0, 1.0, 0, 0, 0, 0, 0}},
    {{0x06, 0x0e, 0x2b, 0x34, 0x01, 0x01, 0x01, 0x0e, 0x01, 0x02, 0x02, 0x81, 0x01, 0x00, 0x00}, 0, {key_x_equation_numerator_x_factor, 32, K_FLOAT, F_ZERO, 0, 0, 0, 0, 4, 8, 0, 0.0, 0.0, 1.0, 1.0, 0, 0, 0, 0, 0}},
    {{0x06, 0x0e, 0x2b, 0x34, 0x01, 0x01, 0x01, 0x0e, 0x01, 0x02, 0x02, 0x81, 0x02, 0x00, 0x00}, 0, {key_x_equation_numerator_y_factor, 32, K_FLOAT, F_ZERO, 0, 0, 0, 0, 4, 8, 0, 0.0, 0.0, 1.0, 1.0, 0, 0, 0, 0, 0}},
    {{0x06, 0x0e, 0x2b, 0x34, 0x01, 0x01, 0x01, 0x0e, 0x01, 0x02, 0x02, 0x81, 0x03, 0x00, 0x00}, 0, {key_x_equation_numerator_constant_factor, 39, K_FLOAT, F_ZERO, 0, 0, 0, 0, 4, 8, 0, 0.0, 0.0, 1.0, 1.0, 0, 0, 0, 0, 0}},
    {{0x06, 0x0e, 0x2b, 0x34, 0x01, 0x01, 0x01, 0x0e, 0x01, 0x02, 0x02, 0x81, 0x04, 0x00, 0x00}, 0, {key_y_equation_numerator_x_factor, 32, K_FLOAT, F_ZERO, 0, 0, 0, 0, 4, 8, 0, 0.0, 0.0, 1.0, 1.0, 0, 0, 0, 0, 0}},
    {{0x06, 0x0e, 0x2b, 0x34, 0x01, 0x01, 0x01, 0x0e, 0x01, 0x02, 0x02, 0x81, 0x05, 0x00, 0x00}, 0, {key_y_equation_numerator_y_factor, 32, K_FLOAT, F_ZERO, 0, 0, 0, 0, 4, 8, 0, 0.0, 0.0, 1.0, 1.0, 0, 0, 0, 0, 0}},
    {{0x06, 0x0e, 0x2b, 0x34, 0x01, 0x01, 0x01, 0x0e, 0x01, 0x02, 0x02, 0x81, 0x06, 0x00, 0x00}, 0, {key_y_equation_numerator_constant_factor, 39, K_FLOAT, F_ZERO, 0, 0, 0, 0, 4, 8, 0, 0.0, 0.0, 1.0, 1.0, 0, 0, 0, 0, 0}},
    {{0x06, 0x0e, 0x2b, 0x34, 0x01, 0x01, 0x01, 0x0e, 0x01, 0x02, 0x02, 0x81, 0x07, 0x00, 0x00}, 0, {key_denominator_x_factor, 23, K_FLOAT, F_ZERO, 0, 0, 0, 0, 4, 8, 0, 0.0, 0.0, 1.0, 1.0, 0, 0, 0, 0, 0}},
    {{0x06, 0x0e, 0x2b, 0x34, 0x01, 0x01, 0x01, 0x0e, 0x01, 0x02, 0x02, 0x81, 0x08, 0x00, 0x00}, 0, {key_denominator_y_factor, 23, K_FLOAT, F_ZERO, 0, 0, 0, 0, 4, 8, 0, 0.0, 0.0, 1.0, 1.0, 0, 0, 0, 0, 0}},
    {{0x06, 0x0e, 0x2b, 0x34, 0x01, 0x01, 0x01, 0x0e, 0x01, 0x02, 0x03, 0x02, 0x00, 0x00, 0x00}, 0, {key_sci_shi_information, 22, K_TEXT, F_ZERO, 0, 0, 0, 0, 0, 0, 0, 0.0, 0.0, 1.0, 1.0, 0, 0, 0, 0, 0}},
    {{0x06, 0x0e, 0x2b, 0x34, 0x01, 0x01, 0x01, 0x0e, 0x01, 0x02, 0x03, 0x03, 0x00, 0x00, 0x00}, 0, {key_rvt_ls_version, 17, K_UINT, F_ZERO, 0, 0, 0, 0, 1, 1, 0, 0.0, 255.0, 1.0, 1.0, 0, 0, 0, 0, 0}},
    {{0x06, 0x0e, 0x2b, 0x34, 0x01, 0x01, 0x01, 0x0e, 0x01, 0x02, 0x03, 0x10, 0x00, 0x00, 0x00}, 0, {key_crc32, 8, K_UINT, 0, 0, 0, 0, 0, 4, 4, 0, 0.0, 4294967295.0, 1.0, 1.0, 0, 0, 0, 0, 0}},
    {{0x06, 0x0e, 0x2b, 0x34, 0x01, 0x01, 0x01, 0x0e, 0x01, 0x02, 0x03, 0x11, 0x00, 0x00, 0x00}, 0, {key_numeric_id, 13, K_BITS, F_ZERO, 0, 0, 0, 0, 1, 1, 2, 0.0, 0.0, 1.0, 1.0, 0, 0, bits_rvtuserdefined_1, 0, 0}},
    {{0x06, 0x0e, 0x2b, 0x34, 0x01, 0x01, 0x01, 0x0e, 0x01, 0x02, 0x03, 0x12, 0x00, 0x00, 0x00}, 0, {key_user_data, 12, K_USER_DATA, F_ZERO, 0, 0, 0, 0, 0, 0, 0, 0.0, 0.0, 1.0, 1.0, 0, 0, 0, 0, 0}},
    {{0x06, 0x0e, 0x2b, 0x34, 0x01, 0x01, 0x01, 0x0e, 0x01, 0x02, 0x03, 0x5e, 0x00, 0x00, 0x00}, 0, {key_crc16, 8, K_UINT, 0, 0, 0, 0, 0, 2, 2, 0, 0.0, 65535.0, 1.0, 1.0, 0, 0, 0, 0, 0}},
    {{0x06, 0x0e, 0x2b, 0x34, 0x01, 0x01, 0x01, 0x0e, 0x01, 0x02, 0x03, 0x5f, 0x00, 0x00, 0x00}, 0, {key_transformation_type, 22, K_ENUM, F_ZERO, 0, 0, 0, 0, 1, 1, 5, 0.0, 4.0, 1.0, 1.0, 0, codes_st1202_11_transformation_type, 0, 0, 0}},
    {{0x06, 0x0e, 0x2b, 0x34, 0x01, 0x01, 0x01, 0x0e, 0x01, 0x02, 0x03, 0x60, 0x00, 0x00, 0x00}, 0, {key_range_image_enumerations, 27, K_BITS, F_ZERO | F_OID, 0, 0, 0, 0, 1, 2, 3, 0.0, 0.0, 1.0, 1.0, 0, 0, bits_st1002_12, 0, 0}},
    {{0x06, 0x0e, 0x2b, 0x34, 0x01, 0x01, 0x01, 0x0e, 0x01, 0x02, 0x05, 0x04, 0x00, 0x00, 0x00}, 0, {key_version, 10, K_UINT, F_ZERO, 0, 0, 0, 0, 2, 2, 0, 0.0, 65535.0, 1.0, 1.0, 0, 0, 0, 0, 0}},
    {{0x06, 0x0e, 0x2b, 0x34, 0x01, 0x01, 0x01, 0x0e, 0x01, 0x02, 0x05, 0x05, 0x00, 0x00, 0x00}, 0, {key_document_version, 19, K_UINT, F_ZERO | F_OID, 0, 0, 0, 0, 1, 0, 0, 0.0, 0.0, 1.0, 1.0, 0, 0, 0, 0, 0}},
    {{0x06, 0x0e, 0x2b, 0x34, 0x01, 0x01, 0x01, 0x0e, 0x01, 0x02, 0x05, 0x06, 0x00, 0x00, 0x00}, 0, {key_z_order, 10, K_UINT, F_ZERO, 0, 0, 0, 0, 1, 1, 0, 0.0, 255.0, 1.0, 1.0, 0, 0, 0, 0, 0}},
    {{0x06, 0x0e, 0x2b, 0x34, 0x01, 0x01, 0x01, 0x0e, 0x01, 0x02, 0x05, 0x07, 0x00, 0x00, 0x00}, 0, {key_sprm_row_coordinate, 22, K_FLOAT, F_ZERO, 0, 0, 0, 0, 4, 8, 0, 0.0, 0.0, 1.0, 1.0, 0, 0, 0, 0, 0}},
    {{0x06, 0x0e, 0x2b, 0x34, 0x01, 0x01, 0x01, 0x0e, 0x01, 0x02, 0x05, 0x08, 0x00, 0x00, 0x00}, 0, {key_sprm_column_coordinate, 25, K_FLOAT, F_ZERO, 0, 0, 0, 0, 4, 8, 0, 0.0, 0.0, 1.0, 1.0, 0, 0, 0, 0, 0}},
    {{0x06, 0x0e, 0x2b, 0x34, 0x01, 0x01, 0x01, 0x0e, 0x01, 0x04, 0x03, 0x01, 0x00, 0x00, 0x00}, 0, {key_operation_id, 15, K_TEXT, F_ZERO, 0, 0, 0, 0, 0, 127, 0, 0.0, 0.0, 1.0, 1.0, 0, 0, 0, 0, 0}},
    {{0x06, 0x0e, 0x2b, 0x34, 0x01, 0x01, 0x01, 0x0e, 0x01, 0x04, 0x03, 0x03, 0x00, 0x00, 0x00}, 0, {key_country_coding_method_version_date, 37, K_TEXT, F_ZERO, 0, 0, 0, 0, 0, 0, 0, 0.0, 0.0, 1.0, 1.0, 0, 0, 0, 0, 0}},
    {{0x06, 0x0e, 0x2b, 0x34, 0x01, 0x01, 0x01, 0x0e, 0x01, 0x04, 0x03, 0x04, 0x00, 0x00, 0x00}, 0, {key_object_country_coding_method_version_date, 44, K_TEXT, F_ZERO, 0, 0, 0, 0, 0, 0, 0, 0.0, 0.0, 1.0, 1.0, 0, 0, 0, 0, 0}},
    {{0x06, 0x0e, 0x2b, 0x34, 0x01, 0x01, 0x01, 0x0e, 0x01, 0x04, 0x05, 0x03, 0x00, 0x00, 0x00}, 94, {key_miis_core_identifier, 23, K_MIIS, F_ZERO, 0, 0, 0, 0, 18, 50, 0, 0.0, 0.0, 1.0, 1.0, 0, 0, 0, 0, 0}},
    {{0x06, 0x0e, 0x2b, 0x34, 0x01, 0x01, 0x01, 0x0e, 0x01, 0x05, 0x01, 0x00, 0x00, 0x00, 0x00}, 0, {key_assessment_point, 19, K_ENUM, F_ZERO, 0, 0, 0, 0, 1, 1, 6, 0.0, 5.0, 1.0, 1.0, 0, codes_st1108_1_assessment_point, 0, 0, 0}},
    {{0x06, 0x0e, 0x2b, 0x34, 0x01, 0x01, 0x01, 0x0e, 0x01, 0x05, 0x02, 0x00, 0x00, 0x00, 0x00}, 0, {key_compression_type, 19, K_ENUM, F_ZERO, 0, 0, 0, 0, 1, 1, 5, 0.0, 4.0, 1.0, 1.0, 0, codes_st1108_5_compression_type, 0, 0, 0}},
    {{0x06, 0x0e, 0x2b, 0x34, 0x01, 0x01, 0x01, 0x0e, 0x01, 0x05, 0x03, 0x00, 0x00, 0x00, 0x00}, 0, {key_compression_profile, 22, K_ENUM, F_ZERO, 0, 0, 0, 0, 1, 1, 9, 0.0, 8.0, 1.0, 1.0, 0, codes_st1108_6_compression_profile, 0, 0, 0}},
    {{0x06, 0x0e, 0x2b, 0x34, 0x01, 0x01, 0x01, 0x0e, 0x01, 0x05, 0x04, 0x00, 0x00, 0x00, 0x00}, 0, {key_compression_level, 20, K_TEXT, F_ZERO, 0, 0, 0, 0, 0, 0, 0, 0.0, 0.0, 1.0, 1.0, 0, 0, 0, 0, 0}},
    {{0x06, 0x0e, 0x2b, 0x34, 0x01, 0x01, 0x01, 0x0e, 0x01, 0x05, 0x05, 0x00, 0x00, 0x00, 0x00}, 0, {key_compression_ratio, 20, K_FLOAT, F_ZERO, 0, 0, 0, 0, 4, 8, 0, 0.0, 0.0, 1.0, 1.0, 0, 0, 0, 0, 0}},
    {{0x06, 0x0e, 0x2b, 0x34, 0x01, 0x01, 0x01, 0x0e, 0x01, 0x05, 0x06, 0x00, 0x00, 0x00, 0x00}, 0, {key_stream_bitrate, 17, K_UINT, F_ZERO, 0, 0, 0, 0, 1, 4, 0, 0.0, 0.0, 1.0, 1.0, 0, 0, 0, 0, 0}},
    {{0x06, 0x0e, 0x2b, 0x34, 0x01, 0x01, 0x01, 0x0e, 0x01, 0x05, 0x07, 0x00, 0x00, 0x00, 0x00}, 0, {key_metric_name, 14, K_TEXT, F_ZERO, 0, 0, 0, 0, 0, 0, 0, 0.0, 0.0, 1.0, 1.0, 0, 0, 0, 0, 0}},
    {{0x06, 0x0e, 0x2b, 0x34, 0x01, 0x01, 0x01, 0x0e, 0x01, 0x05, 0x08, 0x00, 0x00, 0x00, 0x00}, 0, {key_metric_version, 17, K_TEXT, F_ZERO, 0, 0, 0, 0, 0, 0, 0, 0.0, 0.0, 1.0, 1.0, 0, 0, 0, 0, 0}},
    {{0x06, 0x0e, 0x2b, 0x34, 0x01, 0x01, 0x01, 0x0e, 0x01, 0x05, 0x09, 0x00, 0x00, 0x00, 0x00}, 0, {key_metric_implementer, 21, K_TEXT, F_ZERO, 0, 0, 0, 0, 0, 0, 0, 0.0, 0.0, 1.0, 1.0, 0, 0, 0, 0, 0}},
    {{0x06, 0x0e, 0x2b, 0x34, 0x01, 0x01, 0x01, 0x0e, 0x01, 0x05, 0x0a, 0x00, 0x00, 0x00, 0x00}, 0, {key_metric_parameters, 20, K_TEXT, F_ZERO, 0, 0, 0, 0, 0, 0, 0, 0.0, 0.0, 1.0, 1.0, 0, 0, 0, 0, 0}},
    {{0x06, 0x0e, 0x2b, 0x34, 0x01, 0x01, 0x01, 0x0e, 0x01, 0x05, 0x0b, 0x00, 0x00, 0x00, 0x00}, 0, {key_metric_value, 15, K_FLOAT, F_ZERO, 0, 0, 0, 0, 4, 8, 0, 0.0, 0.0, 1.0, 1.0, 0, 0, 0, 0, 0}},
    {{0x06, 0x0e, 0x2b, 0x34, 0x02, 0x03, 0x01, 0x0e, 0x01, 0x03, 0x03, 0x02, 0x00, 0x00, 0x00}, 48, {key_security_local_set, 21, K_SET, F_ZERO, 0, 0, 0, 0, 0, 0, 0, 0.0, 0.0, 1.0, 1.0, 0, 0, 0, &set_st0102, 0}},
    {{0x06, 0x0e, 0x2b, 0x34, 0x02, 0x04, 0x01, 0x0e, 0x01, 0x03, 0x03, 0x01, 0x00, 0x00, 0x00}, 0, {key_section_data_pack, 20, K_PACK, F_ZERO, 0, 0, 0, C_FLOAT, 0, 0, 0, 0.0, 0.0, 1.0, 1.0, 0, 0, 0, 0, &pack_sectiondata}},
    {{0x06, 0x0e, 0x2b, 0x34, 0x02, 0x05, 0x01, 0x0e, 0x01, 0x03, 0x02, 0x01, 0x01, 0x00, 0x00}, 0, {key_window_corners_pack, 22, K_PACK, F_ZERO, 0, 0, 0, 0, 4, 0, 0, 0.0, 0.0, 1.0, 1.0, 0, 0, 0, 0, &pack_windowcorners}},
    {{0x06, 0x0e, 0x2b, 0x34, 0x02, 0x05, 0x01, 0x0e, 0x01, 0x03, 0x03, 0x06, 0x00, 0x00, 0x00}, 0, {key_array, 8, K_ARRAY, F_ZERO, 0, 0, 0, 0, 0, 0, 0, 0.0, 0.0, 1.0, 1.0, 0, 0, 0, 0, 0}},
    {{0x06, 0x0e, 0x2b, 0x34, 0x02, 0x05, 0x01, 0x0e, 0x01, 0x03, 0x03, 0x21, 0x00, 0x00, 0x00}, 102, {key_sdcc_flp, 11, K_SDCC, F_REPEATS, 0, 0, 0, 0, 2, 0, 0, 0.0, 0.0, 1.0, 1.0, 0, 0, 0, 0, 0}},
    {{0x06, 0x0e, 0x2b, 0x34, 0x02, 0x05, 0x01, 0x0e, 0x01, 0x05, 0x02, 0x00, 0x00, 0x00, 0x00}, 0, {key_metric_period_pack, 21, K_PACK, F_ZERO, 0, 0, 0, 0, 12, 12, 0, 0.0, 0.0, 1.0, 1.0, 0, 0, 0, 0, &pack_metricperiod}},
    {{0x06, 0x0e, 0x2b, 0x34, 0x02, 0x0b, 0x01, 0x0e, 0x01, 0x03, 0x01, 0x02, 0x00, 0x00, 0x00}, 73, {key_rvt_local_set, 16, K_SET, F_ZERO, 0, 0, 0, 0, 0, 0, 0, 0.0, 0.0, 1.0, 1.0, 0, 0, 0, &set_st0806, 0}},
    {{0x06, 0x0e, 0x2b, 0x34, 0x02, 0x0b, 0x01, 0x0e, 0x01, 0x03, 0x01, 0x0c, 0x00, 0x00, 0x00}, 0, {key_point_of_interest_local_set, 30, K_SET, F_ZERO, 0, 0, 0, 0, 0, 0, 0, 0.0, 0.0, 1.0, 1.0, 0, 0, 0, &set_rvtpoi, 0}},
    {{0x06, 0x0e, 0x2b, 0x34, 0x02, 0x0b, 0x01, 0x0e, 0x01, 0x03, 0x01, 0x0d, 0x00, 0x00, 0x00}, 0, {key_area_of_interest_local_set, 29, K_SET, F_ZERO, 0, 0, 0, 0, 0, 0, 0, 0.0, 0.0, 1.0, 1.0, 0, 0, 0, &set_rvtaoi, 0}},
    {{0x06, 0x0e, 0x2b, 0x34, 0x02, 0x0b, 0x01, 0x0e, 0x01, 0x03, 0x01, 0x0f, 0x00, 0x00, 0x00}, 0, {key_user_defined_local_set, 25, K_SET, F_ZERO, 0, 0, 0, 0, 0, 0, 0, 0.0, 0.0, 1.0, 1.0, 0, 0, 0, &set_rvtuserdefined, 0}},
    {{0x06, 0x0e, 0x2b, 0x34, 0x02, 0x0b, 0x01, 0x0e, 0x01, 0x03, 0x03, 0x01, 0x00, 0x00, 0x00}, 98, {key_geo_registration_local_set, 29, K_SET, F_ZERO, 0, 0, 0, 0, 0, 0, 0, 0.0, 0.0, 1.0, 1.0, 0, 0, 0, &set_st1601, 0}},
    {{0x06, 0x0e, 0x2b, 0x34, 0x02, 0x0b, 0x01, 0x0e, 0x01, 0x03, 0x03, 0x02, 0x00, 0x00, 0x00}, 99, {key_composite_imaging_local_set, 30, K_SET, F_ZERO, 0, 0, 0, 0, 0, 0, 0, 0.0, 0.0, 1.0, 1.0, 0, 0, 0, &set_st1602, 0}},
    {{0x06, 0x0e, 0x2b, 0x34, 0x02, 0x0b, 0x01, 0x0e, 0x01, 0x03, 0x03, 0x06, 0x00, 0x00, 0x00}, 74, {key_vmti_local_set, 17, K_SET, F_ZERO, 0, 0, 0, 0, 0, 0, 0, 0.0, 0.0, 1.0, 1.0, 0, 0, 0, &set_st0903, 0}},
    {{0x06, 0x0e, 0x2b, 0x34, 0x02, 0x0b, 0x01, 0x0e, 0x01, 0x03, 0x03, 0x0c, 0x00, 0x00, 0x00}, 97, {key_range_image_local_set, 24, K_SET, F_ZERO, 0, 0, 0, 0, 0, 0, 0, 0.0, 0.0, 1.0, 1.0, 0, 0, 0, &set_st1002, 0}},
    {{0x06, 0x0e, 0x2b, 0x34, 0x02, 0x0b, 0x01, 0x0e, 0x01, 0x03, 0x03, 0x0d, 0x00, 0x00, 0x00}, 95, {key_sar_motion_imagery_local_set, 31, K_SET, F_ZERO, 0, 0, 0, 0, 0, 0, 0, 0.0, 0.0, 1.0, 1.0, 0, 0, 0, &set_st1206, 0}},
    {{0x06, 0x0e, 0x2b, 0x34, 0x02, 0x0b, 0x01, 0x0e, 0x01, 0x03, 0x05, 0x05, 0x00, 0x00, 0x00}, 0, {key_generalized_transformation, 29, K_SET, F_ZERO, 0, 0, 0, 0, 0, 0, 0, 0.0, 0.0, 1.0, 1.0, 0, 0, 0, &set_st1202, 0}},
};
const int klv_keyed_count = 171;
