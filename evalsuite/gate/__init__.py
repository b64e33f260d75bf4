"""The gate: two runs and a policy in, a verdict out; and the baselines that runs are compared with."""
