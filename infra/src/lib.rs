//! Infrastructure: the templates of what runs on AWS, their checks and their deployment.
