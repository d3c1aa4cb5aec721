module naru-lab/apps

go 1.26.0
