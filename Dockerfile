FROM python:3.11-slim

ENV PYTHONUNBUFFERED=1 PYTHONDONTWRITEBYTECODE=1
WORKDIR /app
RUN useradd --create-home cartsync && mkdir -p var staticfiles && chown cartsync var staticfiles
COPY requirements.txt .
RUN pip install --no-cache-dir -r requirements.txt
COPY . .
# Any keys will do to collect files; the real ones come with the environment when it runs.
RUN DATABASE_URL=sqlite:// SECRET_KEY=collectstatic CREDENTIALS_KEY=collectstatic python manage.py collectstatic --noinput
USER cartsync
EXPOSE 8000
CMD ["gunicorn", "cartsync.wsgi", "--worker-class", "gthread", "--workers", "2", "--threads", "8", "--bind", "0.0.0.0:8000", "--no-control-socket"]
