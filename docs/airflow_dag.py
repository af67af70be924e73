"""An Airflow DAG that runs a notebook of the suite for each of several clusters, every Monday, side by side.

Copy it into the folder of your DAGs and change paths, parameters and time. It needs apache-airflow-providers-papermill, and
tokcost in the environment of the workers. Papermill gives executed notebooks; where pages, history, alerts and mail are wanted,
use `tokcost schedule FILE --print airflow` instead.
"""

import pendulum
from airflow import DAG
from airflow.providers.papermill.operators.papermill import PapermillOperator
from airflow.timetables.trigger import CronTriggerTimetable

NOTEBOOK = "/srv/costs/notebooks/01-what-does-a-million-tokens-cost.ipynb"
CLUSTERS = {
    "berlin": {"rate_usd_per_gpu_h": 2.10, "utilization_frac": 0.40},
    "austin": {"rate_usd_per_gpu_h": 1.70, "utilization_frac": 0.60},
}

with DAG(
    dag_id="tokcost-clusters",
    schedule=CronTriggerTimetable("0 6 * * mon", timezone="Europe/Berlin"),
    start_date=pendulum.datetime(2026, 1, 1, tz="Europe/Berlin"),
    catchup=False,
) as dag:
    for name, parameters in CLUSTERS.items():
        PapermillOperator(
            task_id=name,
            input_nb=NOTEBOOK,
            output_nb="/srv/costs/output/" + name + "-{{ ds }}.ipynb",
            kernel_name="python3",
            language_name="python",
            parameters=parameters,
        )
