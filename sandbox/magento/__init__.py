"""Magento 2 / Adobe Commerce, REST V1, as measured on 2.4.6."""
