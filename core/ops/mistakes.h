/* The table of all mistakes: what stands in it is declared for everybody, and listed in `mistakes`. */
#ifndef CORE_OPS_MISTAKES_H
#define CORE_OPS_MISTAKES_H

/* In the order of the documentation. */
/* clang-format off */
#define ALL_MISTAKES(X) \
    X(missing_activation_derivative) \
    X(wrong_activation_derivative) \
    X(derivative_at_output) \
    X(output_formula_at_input) \
    X(activation_instead_of_derivative) \
    X(derivative_of_gradient) \
    X(upstream_dropped) \
    X(relu_gradient_at_zero) \
    X(mask_from_gradient) \
    X(operator_precedence) \
    X(squared_derivative_slip) \
    X(product_for_elementwise) \
    X(inverted_mask) \
    X(half_at_zero) \
    X(slope_times_input) \
    X(elu_offset) \
    X(inner_derivative_missing) \
    X(softmax_jacobian_diagonal) \
    X(log_softmax_sign) \
    X(raw_error_propagated) \
    X(weight_not_transposed) \
    X(updated_weights_propagated) \
    X(weight_gradient_as_weight) \
    X(weight_skipped) \
    X(wrong_layer_used) \
    X(mean_taken_for_constant) \
    X(variance_taken_for_constant) \
    X(statistics_taken_for_constant) \
    X(gamma_left_out) \
    X(normalized_over_wrong_axis) \
    X(other_factor_missing) \
    X(factors_exchanged) \
    X(broadcast_averaged) \
    X(broadcast_not_summed) \
    X(broadcast_single) \
    X(summed_over_wrong_axis) \
    X(quotient_rule) \
    X(power_rule) \
    X(operand_not_transposed) \
    X(not_spread) \
    X(max_to_all) \
    X(duplicates_overwritten) \
    X(gradient_at_wrong_index) \
    X(transposed) \
    X(wrong_memory_order) \
    X(input_not_activated) \
    X(own_output_as_input) \
    X(input_ignored) \
    X(weight_as_input) \
    X(parameter_as_gradient) \
    X(repeated_index_overwritten) \
    X(input_not_normalized) \
    X(bias_not_summed) \
    X(bias_averaged) \
    X(bias_summed_over_units) \
    X(bias_summed_over_wrong_axis) \
    X(bias_from_weight_gradient) \
    X(bias_of_ones) \
    X(loss_scale_missing) \
    X(not_averaged_over_batch) \
    X(averaged_twice) \
    X(wrong_normalization) \
    X(missing_factor_two) \
    X(sign_flipped) \
    X(cross_entropy_shortcut) \
    X(mse_shortcut) \
    X(missing_bce_term) \
    X(bce_term_sign) \
    X(l1_sign_lost) \
    X(clamp_ignored) \
    X(hinge_own_class) \
    X(gradient_of_output) \
    X(loss_as_gradient) \
    X(epsilon_in_log) \
    X(target_broadcast) \
    X(regularization_missing) \
    X(regularization_sign) \
    X(bias_regularized) \
    X(regularization_unasked) \
    X(contribution_missing) \
    X(gradient_overwritten) \
    X(sent_twice) \
    X(detached) \
    X(gradient_accumulated) \
    X(single_sample) \
    X(swapped_parameters) \
    X(clipped) \
    X(learning_rate_applied) \
    X(updated_parameter) \
    X(velocity) \
    X(flattened) \
    X(per_sample_gradient) \
    X(numerical_gradient) \
    X(low_precision) \
    X(rounded) \
    X(all_zero) \
    X(constant_factor) \
    X(forward_wrong) \
    X(update_sign) \
    X(learning_rate_missing) \
    X(parameter_not_updated) \
    X(update_for_parameter) \
    X(bias_correction_missing) \
    X(bias_correction_exchanged) \
    X(bias_correction_stored) \
    X(step_miscounted) \
    X(epsilon_in_root) \
    X(root_missing) \
    X(betas_exchanged) \
    X(moment_factors_exchanged) \
    X(moment_factor_missing) \
    X(cache_not_decayed) \
    X(l2_for_decoupled_decay) \
    X(decoupled_decay_for_l2) \
    X(weight_decay_missing) \
    X(weight_decay_sign) \
    X(decay_without_learning_rate) \
    X(velocity_form) \
    X(velocity_dampened) \
    X(momentum_missing) \
    X(old_velocity_used) \
    X(nesterov_missing) \
    X(nesterov_unasked) \
    X(state_forgotten)
/* clang-format on */

struct mistake;
#define DECLARE_MISTAKE(name) extern const struct mistake mistake_##name;
ALL_MISTAKES(DECLARE_MISTAKE)
#undef DECLARE_MISTAKE

extern const struct mistake *const mistakes[]; /* all of them, in the order of the table; ends with NULL */

#endif
