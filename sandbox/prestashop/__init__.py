"""The webservice of PrestaShop as measured on a live server of version 9.0.0; 1.7 where `version` says so."""
