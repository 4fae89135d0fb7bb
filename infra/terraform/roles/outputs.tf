output "role_to_assume" {
  description = "ARN of each job's role: the action's input `role-to-assume`."
  value       = { for job, role in aws_iam_role.job : job => role.arn }
}

output "execution_role" {
  description = "ARN of the role with which ECS starts tasks."
  value       = aws_iam_role.execution.arn
}

output "task_role" {
  description = "ARN of the application's own role."
  value       = aws_iam_role.task.arn
}

output "secrets" {
  description = "Secrets of the container, for the task definitions."
  value       = var.secrets
}

output "scaling" {
  description = "Who owns scaling: terraform, action or none."
  value       = var.scaling
}

output "policies" {
  description = "The policies of each job's role, filled in, by job and policy."
  value       = { for name, attached in aws_iam_role_policy.job : name => attached.policy }
}
