"""Categories given by generators and equations, perhaps infinite: completion and Kan extensions at scale."""
