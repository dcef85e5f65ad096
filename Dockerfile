# The course's own services. The slow layer, the packages, changes only with their versions.
FROM python:3.13-slim

RUN useradd --create-home learner && python -m venv /venv
ENV PATH=/venv/bin:$PATH
WORKDIR /course
COPY requirements.txt constraints.txt ./
RUN pip install --no-cache-dir -r requirements.txt
COPY . .
USER learner
